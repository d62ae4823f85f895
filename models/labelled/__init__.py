"""One row per customer with a yes or no: its columns, the classifier, the value of who stays, scores and reasons."""
