"""Without ipywidgets DuckDB refuses to hear of its progress bar, and tqdm, which Optuna imports, warns of its own."""

from nbformat.v4 import new_code_cell, new_notebook

WITHOUT = "import sys\nsys.modules['ipywidgets'] = None"


def test_a_log_is_read_and_a_model_tuned_without_widgets(run):
    reads = "from features.ingest.duckdb_connection import connect\nconnect().execute('select 42').fetchall()"
    notebook = new_notebook(
        cells=[new_code_cell(text) for text in (WITHOUT, "import pipelines.training.tuning", reads)]
    )
    run(notebook)
    assert notebook.cells[-1].outputs[0].data["text/plain"] == "[(42,)]"
