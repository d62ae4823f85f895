"""The report page: what it shows, its charts and their captions, and the model card."""
