# make        set everything up, build the graph, answer one question
# make test   set up and run everything that CI runs
# make bench  measure, as ratios in one run
# make fmt    format the code
.PHONY: start test bench fmt
start:
	@sh scripts/start
test:
	@sh scripts/test
bench: .venv/ready
	@.venv/bin/python -m bench
fmt: .venv/ready
	@.venv/bin/ruff format atmpkg tests bench scripts && .venv/bin/ruff check --fix atmpkg tests bench scripts
.venv/ready: pyproject.toml
	@sh scripts/venv dev
