"""The analyses of the customer-base report: each file a question, answered by `analyse(base)`."""
