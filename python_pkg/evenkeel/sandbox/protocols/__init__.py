"""One module a protocol: deploys the published contracts and gives them liquidity."""
