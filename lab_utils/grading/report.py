"""The report of a class: a table for a spreadsheet, and a page to read."""

import csv
import html
import io

STYLE = """\
body { font-family: sans-serif; margin: 2em; } table { border-collapse: collapse; }
td, th { border: 1px solid #999; padding: 0.3em 0.6em; text-align: left; vertical-align: top; }
td.number { text-align: right; } .lost { font-weight: bold; }"""


def as_csv(results: list[dict]) -> str:
    """One line an exercise of a submission, and one for its sum."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["file", "lab", "exercise", "earned", "points", "reason"])
    for result in results:
        for name, row in result["exercises"].items():
            table.writerow(map(_plain, [result["file"], result["lab"], name, row["earned"],
                                        row["points"], row["reason"]]))
        table.writerow(map(_plain, [result["file"], result["lab"], "sum", result["earned"],
                                    result["points"], "; ".join(result["notes"])]))
    return text.getvalue()


def _plain(value):
    """Text that a spreadsheet takes for text: a submission's words are no formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def as_html(results: list[dict], isolation: dict[str, bool]) -> str:
    """Scores of each submission, why points were lost, and how the class did in each exercise."""
    parts = [f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Grades</title>"
             f"<style>{STYLE}</style><h1>Grades</h1><p>{len(results)} submissions."]
    if isolation:
        parts.append("<p>Submissions ran with: " + ", ".join(
            f"{what}: {'yes' if there else 'no'}" for what, there in isolation.items()) + ".")
    parts.append("<h2>Submissions</h2><table><tr><th>File<th>Lab<th>Earned<th>Of<th>Notes, and "
                 "what was expected and came")
    for result in results:
        reasons = [f"{name}: {row['reason']}" for name, row in result["exercises"].items()
                   if not row["earned"]]
        lines = "<br>".join(html.escape(line) for line in [*result["notes"], *reasons])
        parts.append(f"<tr><td>{html.escape(result['file'])}<td>{result['lab'] or ''}"
                     f"<td class='number'>{result['earned']}<td class='number'>"
                     f"{result['points']}<td>{lines}")
    parts.append("</table>")
    for lab in sorted({result["lab"] for result in results if result["lab"]}):
        of_lab = [result["exercises"] for result in results if result["lab"] == lab]
        parts.append(f"<h2>Exercises of {lab}</h2><table><tr><th>Exercise<th>Points<th>Earned by")
        parts += [f"<tr><td>{name}<td class='number'>{row['points']}<td class='number'>"
                  f"{sum(rows[name]['earned'] > 0 for rows in of_lab)} of {len(of_lab)}"
                  for name, row in of_lab[0].items()]
        parts.append("</table>")
    return "\n".join([*parts, "</html>"]) + "\n"
