"""The figures and pages of ./dev bench tls, from made-up rounds; and that the committed pages can be written again."""
import unittest
import xml.etree.ElementTree

import tls_page
import tls_plot


def row(*cpu_us, **labels):
    return {**labels, "rounds_cpu_us": list(cpu_us), "per_core_second": 1e6 / cpu_us[0], "to_client_bytes": 16000,
            "to_server_bytes": 12000}


class Figures(unittest.TestCase):
    def test_times__rounds_that_drift__median_of_each_rounds_ratio(self):
        self.assertEqual(tls_page.times(row(100, 200, 400), row(300, 600, 800)), 3)

    def test_judged__at_and_beside_the_goal__said(self):
        self.assertEqual(tls_page.judged(0.8, 0.8), ["0.80", "≥ 0.8", "met"])
        self.assertEqual(tls_page.judged(0.79, 0.8)[2], "**missed**")
        self.assertEqual(tls_page.judged([0.7, 0.81, 0.9], 0.8), ["0.81 (0.70 to 0.90)", "≥ 0.8", "met"])
        self.assertEqual(tls_page.judged(12001, 12000, False, "{:,}"), ["12,001", "≤ 12,000", "**missed**"])

    def test_find__none_or_two__refused(self):
        rows = [row(1, suite="a", code="x"), row(2, suite="a", code="y")]
        self.assertEqual(tls_page.find(rows, suite="a", code="y"), rows[1])
        for labels in ({"suite": "a"}, {"suite": "b"}):
            with self.assertRaises(LookupError):
                tls_page.find(rows, **labels)


class Pages(unittest.TestCase):
    def test_replaced__a_block__prose_around_it_stays(self):
        page = f"before\n{tls_page.BEGIN}\nold\n{tls_page.END}\nafter\n"
        self.assertEqual(tls_page.replaced(page, "a \\1 new\n"), page.replace("old", "a \\1 new"))
        with self.assertRaises(LookupError):
            tls_page.replaced("no marks", "new")

    def test_committed_pages__have_their_marks(self):
        for page in ("docs/tls.md", "README.md"):
            tls_page.replaced((tls_page.TOP / page).read_text(encoding="utf-8"), "")

    def test_svg__rows__a_bar_for_each_in_both_panels(self):
        rows = [row(500, suite="hybrid", store=store) for store in tls_plot.COLOURS]
        tree = xml.etree.ElementTree.fromstring(tls_plot.svg(rows))
        self.assertEqual(len(tree.findall("{http://www.w3.org/2000/svg}rect")), 1 + 2 * len(rows))


if __name__ == "__main__":
    unittest.main()
