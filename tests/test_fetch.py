"""Lists of regulators: the genuine copies agree with the graph, or a dispute says why not; broken copies say so."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from atmpkg.errors import UsageError
from atmpkg.fetch import compared, harvested, is_advanced, listed
from atmpkg.graph import KnowledgeGraph

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "samples"
EMA = sorted((SAMPLES / "ema_medicines").glob("*.xlsx"))
PURPLE_BOOK = sorted((SAMPLES / "purple_book").glob("*.csv"))
COLUMNS = [
    "name_of_medicine",
    "ema_product_number",
    "medicine_status",
    "advanced_therapy",
    "marketing_authorisation_date",
    "withdrawal_expiry_revocation_lapse_of_marketing_authorisation_date",
]

Needs = Callable[[bool, str], None]


def medicine(**cells: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | {"advanced_therapy": "Yes"} | cells


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    def write(*medicines: dict[str, str]) -> Path:
        path = tmp_path / "medicines.json"
        path.write_text(json.dumps({"data": medicines}), encoding="utf-8")
        return path

    return write


def test_the_samples_are_there(needs: Needs) -> None:
    needs(SAMPLES.is_dir(), "the folder of samples")
    assert (len(EMA), len(PURPLE_BOOK)) == (2, 1)


@pytest.mark.parametrize("name, files, least", [("ema", EMA, 24), ("purple-book", PURPLE_BOOK, 40)])
def test_each_difference_from_a_genuine_list_is_explained(
    name: str, files: list[Path], least: int, real: KnowledgeGraph, needs: Needs
) -> None:
    needs(bool(files), "a genuine list")
    for path in files:
        items = listed(name, path)
        assert sum(map(is_advanced, items)) >= least
        assert [row for row in compared(real, name, items).rows if not row[-1]] == []


def test_a_list_is_compared_with_the_graph(sample: KnowledgeGraph, export: Callable[..., Path]) -> None:
    path = export(
        medicine(name_of_medicine="Alphara", medicine_status="Authorised", marketing_authorisation_date="24/08/2018"),
        medicine(name_of_medicine="Unheard (previously Of)", medicine_status="Authorised", ema_product_number="EMEA/X"),
    )
    found = {(row[0], row[2], row[3], row[4]) for row in compared(sample, "ema", listed("ema", path)).rows}
    assert ("alfacel", "granted", "2018-08-23", "2018-08-24") in found
    assert ("", "product", "", "EMEA/X") in found


def test_a_list_is_harvested_as_rows(export: Callable[..., Path]) -> None:
    path = export(
        medicine(name_of_medicine="A (previously B)", medicine_status="Lapsed"), {"category": "Veterinary"} | medicine()
    )
    answer = harvested("ema", listed("ema", path))
    assert [row[:4] for row in answer.rows] == [("", "A|B", "", "expired")]


@pytest.mark.parametrize(
    "name, file, content, message",
    [
        ("ema", "a.xlsx", "no zip", "it is not a workbook"),
        ("ema", "a.json", "[]", "it is not EMA's JSON with an entry «data»"),
        ("ema", "a.json", '{"data": [{"category": "Human"}]}', "no column name of medicine. Its form has changed"),
        ("ema", "a.json", '{"data": []}', "no human medicine is in it"),
        ("purple-book", "a.csv", "BLA Number,Center\n1,CBER\n", "no column Proprietary Name. Its form has changed"),
        ("purple-book", "a.csv", "", "no licence of CBER is in it"),
        ("purple-book", "b.csv", None, "No such file"),
        ("emma", "a.csv", "", "cannot fetch 'emma': expected one of ema, purple-book."),
    ],
)
def test_a_list_that_cannot_be_read_says_why(
    name: str, file: str, content: str | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / file
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        listed(name, path)
    assert message in str(caught.value)


def test_the_command_compares(atmpkg: Callable[..., object], export: Callable[..., Path]) -> None:
    path = export(
        medicine(name_of_medicine="Alphara", medicine_status="Authorised", marketing_authorisation_date="24/08/2018")
    )
    run = atmpkg("fetch", "ema", "--from-file", path, "--compare", "--format", "tsv")
    assert run.code == 1  # type: ignore[attr-defined]
    assert "alfacel\tAlphara\tgranted\t2018-08-23\t2018-08-24\t" in run.out  # type: ignore[attr-defined]
    assert "1 advanced therapies in the list" in run.err  # type: ignore[attr-defined]
