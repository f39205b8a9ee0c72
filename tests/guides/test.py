"""Tests of the runner of the guides: what passes, and that each kind of mistake fails with its place."""

import importlib.machinery
import importlib.util
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

path = str(pathlib.Path(__file__).with_name("run"))
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("run", path, loader=importlib.machinery.SourceFileLoader("run", path))
run = importlib.util.module_from_spec(spec)
sys.modules["run"] = run
spec.loader.exec_module(run)
run.LATEST = 1


class Guides(unittest.TestCase):
    """Guides that are written for the test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        guides = self.folder / "docs" / "guides"
        guides.mkdir(parents=True)
        self.path = guides / "one.md"
        self.addCleanup(setattr, run, "ROOT", run.ROOT)
        run.ROOT = self.folder
        # The programs of the project are not needed here.
        self.machine = object.__new__(run.Machine)
        self.machine.work = self.folder
        self.machine.crates = {"a-crate": self.folder / "a"}
        self.machine.environment = dict(os.environ)

    def guide(self, text):
        self.path.write_text(text)
        return self.machine.guide("one")

    def passes(self, text, summary):
        self.assertTrue(self.guide(text).startswith(summary))

    def fails(self, text, *parts):
        with self.assertRaises(run.Failed) as failed:
            self.guide(text)
        for part in parts:
            self.assertIn(part, str(failed.exception))

    def console(self, text):
        return f"```console\n{text}\n```\n"

    def test_output(self):
        self.passes(self.console("$ echo a; echo b >&2\na\nb"), "1 blocks, 1 commands")
        self.passes(self.console("$ echo any"), "1 blocks, 1 commands")
        self.passes(self.console("$ seq 9\n1\n…\n8\n9"), "1 blocks, 1 commands")
        self.passes(self.console("$ echo 12:30 now\n…:… now"), "1 blocks, 1 commands")
        self.passes(self.console("$ printf '\\e[1mbold\\e[0m\\n'\nbold"), "1 blocks, 1 commands")
        self.passes(self.console("$ test -t 1 && echo a terminal\na terminal"), "1 blocks, 1 commands")
        self.passes(self.console("$ echo a \\\n    b\na b"), "1 blocks, 1 commands")

    def test_another_output(self):
        self.fails(self.console("$ true\n$ echo a\nb"), "3: the output differs", "$ echo a", "    b", "    a")
        self.fails(self.console("$ seq 3\n1\n2"), "2: the output differs")
        self.fails(self.console("$ seq 3\n1\n2\n3\n4"), "2: the output differs")
        self.fails(self.console("$ echo ax\na…b"), "2: the output differs")
        self.fails(self.console("$ true\nmore"), "(nothing)")

    def test_exit_status(self):
        self.fails(self.console("$ echo a; exit 3\na"), "2: the exit status is 3")
        self.fails(self.console("$ false | true"), "2: the exit status is 1")
        self.fails(self.console("$ echo $none"), "unbound variable")
        self.passes(self.console("$ echo error: no; exit 1\nerror: no"), "1 blocks, 1 commands")

    def test_state(self):
        text = self.console("$ export A=1\n$ mkdir b\n$ cd b\n$ eval B=2; export B\n$ echo $A $B ${PWD##*/}\n1 2 b")
        self.passes(text, "1 blocks, 5 commands")

    def test_files(self):
        file = "Write `a/b.txt`:\n\n```text\none\n\n two\n```\n"
        self.passes(file + self.console("$ cat a/b.txt\none\n\n two"), "2 blocks, 1 commands")
        self.passes(file + file.replace("one", "1") + self.console("$ head -n 1 a/b.txt\n1"), "3 blocks")
        self.passes("```text\nno\n```\n```powershell\nno\n```\n", "0 blocks, 0 commands")
        self.fails("\nText.\n\n```rust\nfn main() {}\n```\n", "4: nothing checks this `rust` block")
        self.fails("```console\n$ true\n", "1: the block has no end")

    def test_background(self):
        text = self.console("$ echo up; until [ -e on ]; do sleep 0.01; done; echo on; sleep 60 &\nup\non\n$ touch on")
        self.passes(text, "1 blocks, 2 commands")
        self.fails(text.replace("on\n$", "off\n$"), "2: not all lines shown were printed", "    off", "    on")
        self.fails(self.console("$ echo no; exit 1 &\nyes"), "2: the first line shown is not printed")
        self.fails(self.console("$ exit 3 &"), "2: the exit status is 3")

    def test_background_ends(self):
        self.guide(self.console("$ echo $$ >pid; cp pid ..; exec sleep 60 &\n$ until [ -e pid ]; do :; done"))
        pid = int((self.folder / "pid").read_text())
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())

    def test_needs(self):
        text = "<!-- needs NO_SUCH -->\n" + self.console("$ exit 1") + self.console("$ true")
        summary = self.guide(text)
        self.assertTrue(summary.startswith("1 blocks, 1 commands"))
        self.assertIn("SKIPPED the blocks of the lines 2 (needs NO_SUCH)", summary)
        os.environ["NO_SUCH"] = "1"
        self.addCleanup(os.environ.pop, "NO_SUCH")
        self.fails(text, "3: the exit status is 1")

    def test_crates(self):
        self.guide("Text of a-crate.\n" + self.console("$ cat ../.cargo/config.toml\n[patch.crates-io]"))
        self.guide("Write `Cargo.toml`:\n\n```toml\na-crate = \"1\"\n```\n" + self.console(
            "$ cat ../.cargo/config.toml\n[patch.crates-io]\na-crate = { path = '…/a' }"))

    @unittest.skipUnless(shutil.which("mdbook"), "mdbook is missing")
    def test_book(self):
        docs = self.folder / "docs"
        self.addCleanup(setattr, run, "TARGET", run.TARGET)
        run.TARGET = self.folder / "target"
        (docs / "book.toml").write_text('[book]\nsrc = "."\n[build]\ncreate-missing = false\n')
        (docs / "SUMMARY.md").write_text("- [A](a.md)\n- [One](guides/one.md)\n")
        (docs / "a.md").write_text("# A\n\n[one](guides/one.md#a-heading)\n")
        self.path.write_text("# One\n\n## A heading\n\n[a](../a.md)\n")
        self.assertTrue(run.book().startswith("2 chapters, "))
        for link, told in [
            ("two.md", "guides/one.html: the link two.html leads to no page"),
            ("one.md#other", "leads to no heading"),
            ("../../README.md", "guides/one.html: the link ../../README.html leads"),
        ]:
            self.path.write_text(f"# One\n\n## A heading\n\n[a]({link})\n")
            with self.assertRaisesRegex(run.Failed, told):
                run.book()
        self.path.write_text("# One\n\n## A heading\n")
        (docs / "two.md").write_text("# Two\n")
        with self.assertRaisesRegex(run.Failed, "SUMMARY.md does not list two.md"):
            run.book()
        (docs / "two.md").unlink()
        self.path.unlink()
        with self.assertRaisesRegex(run.Failed, "mdbook is not content"):
            run.book()

    def test_no_guide(self):
        with self.assertRaises(run.Failed):
            self.machine.guide("none")


if __name__ == "__main__":
    unittest.main()
