"""How money and tables look: number formats, charts, theme, templates, spreadsheets."""
