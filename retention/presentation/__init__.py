"""Presentation: number formats, charts, theme, templates, spreadsheets."""
