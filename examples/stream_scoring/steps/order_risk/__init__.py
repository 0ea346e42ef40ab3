"""The steps of order_risk."""
