"""docs/tls.svg: handshakes per core-second, and bytes on the wire, of each suite and key store."""
from xml.sax.saxutils import escape

COLOURS = {"software": "#4477aa", "quoin-se": "#228833", "TPM-sealed": "#ccbb44"}
BAR, GAP, LABEL, WIDTH, VALUE = 18, 14, 150, 330, 60


def text(x, y, words, anchor="start", size=12):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'


def bars(left, top, title, rows, value):
    """One panel: a bar a row, grouped by suite, as long as the value."""
    longest = max(value(row) for row in rows)
    parts, y, suite = [text(left, top, title, size=14)], top + 8, None
    for row in rows:
        if row["suite"] != suite:
            suite = row["suite"]
            y += GAP
        length = round(WIDTH * value(row) / longest, 1)
        parts += [text(left + LABEL - 8, y + 13, f"{suite}, {row['store']}", "end"),
                  f'<rect x="{left + LABEL}" y="{y}" width="{length}" height="{BAR - 3}" fill="{COLOURS[row["store"]]}"/>',
                  text(left + LABEL + length + 5, y + 13, f"{value(row):,.0f}")]
        y += BAR
    return parts, y


def svg(rows):
    panel = LABEL + WIDTH + VALUE
    left, bottom = bars(10, 24, "Handshakes per core-second (Mosquitto and quoin-se)", rows, lambda row: row["per_core_second"])
    right, _ = bars(20 + panel, 24, "Bytes on the wire, both ways", rows,
                    lambda row: row["to_client_bytes"] + row["to_server_bytes"])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * panel + 30}" height="{bottom + 12}" '
            'font-family="sans-serif" fill="#222"><rect width="100%" height="100%" fill="#fff"/>\n'
            + "\n".join([*left, *right]) + "\n</svg>\n")
