"""A deployed vault in an operator's hands: what Brownie's scripts and the console do."""

from evenkeel.operate.chain import SANDBOX, Chain, flag, number, one_line
from evenkeel.operate.deploying import deploy_vault
from evenkeel.operate.errors import OperateError
from evenkeel.operate.session import MANDATE, Proposal, Session, find_deployment
from evenkeel.operate.status import status

__all__ = [
    "MANDATE",
    "SANDBOX",
    "Chain",
    "OperateError",
    "Proposal",
    "Session",
    "deploy_vault",
    "find_deployment",
    "flag",
    "number",
    "one_line",
    "status",
]
