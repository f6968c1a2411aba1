# Everything runs from one virtual environment that is rebuilt whenever its pins change.

PYTHON ?= python3
PY := .venv/bin/python
STAMP := .venv/.installed
QUIET_HUB := HF_HUB_OFFLINE=1

.PHONY: venv demo demo-diffusion answers test check bench prove train
.DEFAULT_GOAL := test

venv: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(PY) || $(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

DEMO := language.3.mlp[0:6],vision.3.mlp[0:6],language.4.head.*
HERE := $(QUIET_HUB) MAIEUTIC_STORE=out/demo.db MAIEUTIC_CACHE=out/cache

demo: venv
	mkdir -p out
	$(HERE) .venv/bin/maieutic label tableau-llava --images tableau:300/150/300 --components '$(DEMO)'
	$(HERE) .venv/bin/maieutic report -o out/report

DRAWN := MAIEUTIC_STORE=out/drawn.db MAIEUTIC_CACHE=out/cache

demo-diffusion: venv
	mkdir -p out
	$(QUIET_HUB) $(DRAWN) .venv/bin/maieutic label tableau-llava --images tableau:300/150/300 --components 'language.3.mlp[0:4],vision.3.mlp[0:2]' --editor tableau-pix2pix
	$(QUIET_HUB) $(DRAWN) .venv/bin/maieutic report -o out/drawn

answers: venv
	mkdir -p out
	$(QUIET_HUB) $(PY) -m experiments.tableau.demo --out out/answers.png

test: venv
	$(MAKE) check

check:
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	$(QUIET_HUB) OMP_NUM_THREADS=1 $(PY) -m pytest -n 2

bench: venv
	$(QUIET_HUB) .venv/bin/maieutic targets check tableau-llava --n 500 --seed 1
	mkdir -p out
	$(QUIET_HUB) .venv/bin/maieutic bench engine --figure out/engine.png --json > out/engine.json

prove: venv
	$(QUIET_HUB) $(PY) -m experiments.tableau.prove
	$(QUIET_HUB) OMP_NUM_THREADS=1 $(PY) -m experiments.forty
	$(QUIET_HUB) OMP_NUM_THREADS=1 $(PY) -m experiments.kills
	$(QUIET_HUB) OMP_NUM_THREADS=1 $(PY) -m experiments.faults
	$(QUIET_HUB) OMP_NUM_THREADS=1 $(PY) -m experiments.throughput
	$(QUIET_HUB) OMP_NUM_THREADS=1 $(PY) -m experiments.escapes
	$(QUIET_HUB) OMP_NUM_THREADS=1 $(PY) -m experiments.audit.proof
	$(QUIET_HUB) $(PY) -m experiments.tableau.card

train: venv
	$(QUIET_HUB) $(PY) -m experiments.tableau.train clip
	$(QUIET_HUB) $(PY) -m experiments.tableau.train llava
	$(QUIET_HUB) $(PY) -m experiments.tableau.train judge
	$(QUIET_HUB) $(PY) -m experiments.tableau.train pix2pix-vae
	$(QUIET_HUB) $(PY) -m experiments.tableau.train pix2pix
	for model in clip llava judge; do $(QUIET_HUB) $(PY) -m experiments.tableau.train curves $$model || exit; done
	$(QUIET_HUB) $(PY) -m experiments.tableau.train export
