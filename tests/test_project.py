"""Where things are: a data root, a checkout around the working directory, or what the package carries."""

import shutil
from pathlib import Path

import pytest

import atmpkg
from atmpkg.errors import UsageError
from atmpkg.project import Project, cache_folder, home


def test_a_data_root_is_named(own_sample: Path) -> None:
    assert Project.find(own_sample) == Project(own_sample, home()) == Project.find(str(own_sample))


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it has no folder data/tables"):
        Project.find(tmp_path)


def test_a_checkout_is_found_from_below(own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(home() / "ontology" / "prefixes.yaml", own_sample / "ontology")
    monkeypatch.chdir(own_sample / "data" / "tables")
    assert Project.find().root == own_sample


def test_elsewhere_the_package_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Project.find() == Project(home(), home())


@pytest.mark.parametrize("file", ["data/tables/product.tsv", "ontology/mappings/mondo.sssom.tsv"])
def test_the_fingerprint_follows_every_input(file: str, own_sample: Path) -> None:
    project = Project(own_sample, home())
    before = project.fingerprint()
    assert project.fingerprint() == before
    (own_sample / file).write_text((own_sample / file).read_text() + "# more\n")
    assert project.fingerprint() != before


@pytest.mark.parametrize("folder", ["queries/rules/r.rq", "ontology/extra.ttl", "data/tables/gadget.yaml"])
def test_a_new_rule_table_or_module_is_an_input_too(folder: str, own_sample: Path) -> None:
    project = Project(own_sample, home())
    before = project.fingerprint()
    path = own_sample / folder
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("# new\n")
    assert project.fingerprint() != before


def test_two_roots_of_one_name_have_two_caches(tmp_path: Path) -> None:
    caches = {Project(tmp_path / name / "data", home()).cache for name in ("one", "two")}
    assert len(caches) == 2
    assert {cache.parent for cache in caches} == {cache_folder()}


def test_the_cache_is_where_it_is_said_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATMPKG_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_a_project_may_bring_its_own_questions(own_sample: Path) -> None:
    path = own_sample / "queries" / "questions" / "own" / "labels.rq"
    path.parent.mkdir(parents=True)
    path.write_text("#+ title: Labels\nSELECT ?l { ?p a <https://w3id.org/atmpkg/ontology/Product> ;"
                    " <http://www.w3.org/2000/01/rdf-schema#label> ?l } ORDER BY ?l\n")  # fmt: skip
    kg = atmpkg.open(data=own_sample)
    assert kg.ask("labels").rows[0] == ("alfacel",)
    assert kg.questions["labels"].pack == "own" and "authorised-products" in kg.questions


def test_the_package_is_opened_by_one_word(own_sample: Path, tmp_path: Path) -> None:
    kg = atmpkg.open(data=own_sample)
    assert len(kg.ask("authorised-products", jurisdiction="EU", as_of="2022-01-01")) == 1
