"""The table of lists is written into its place of docs/scale.md, and nothing else is changed there."""

from bench.ledger import list_commands


def test_the_table_of_lists_is_written_where_the_page_has_its_place() -> None:
    page = list_commands.PAGE.read_text(encoding="utf-8")
    table = list_commands.table_of([("fraud list", {"shown": 12.4, "JSON": 3.0})])

    found = list_commands.with_table(page, table)

    assert "<!-- measured: lists -->\n\n| List | Shown, ms |" in found
    assert "| `fraud list` | 12 | 3 |  |  |\n\n<!-- end -->\n\n## Temporal" in found
    assert found.count("<!-- end -->") == page.count("<!-- end -->")
