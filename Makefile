# The entry points. Each is one script under tests/lab, which says what it installs and undoes what it starts.
.PHONY: demo up demo-clean test ci lint bench bench-analysis dockerfiles starters generate soak mutants

demo:        ## deploy the sample repository on this machine, through a real coordinator and agent
	@tests/lab/demo deploy tests/samples/guestbook

up:          ## the same without the deployment
	@tests/lab/demo up

demo-clean:  ## remove exactly what the demo made
	@tests/lab/demo clean

test:        ## every test, on SQLite and PostgreSQL, with what they need installed
	@tests/lab/install test
	@tests/lab/check test

soak:        ## the long form of every fault: a crash at every write, minutes without network, hundreds of rounds (hours)
	@tests/lab/install test
	@tests/lab/check soak

mutants:     ## mistakes that must never pass, one after the other (NAMES="..." for some); SHARD=0/8: any place of the code (hours)
	@tests/lab/install mutants
	@$(if $(SHARD),tests/lab/mutants $(SHARD),tests/lab/named-mutants $(NAMES))

ci:          ## what .ci/run calls: lint, generated files, every test
	@tests/lab/install test
	@tests/lab/check ci

lint:        ## format, clippy, dependencies, shell scripts, web
	@tests/lab/check lint

bench:       ## ours against its peers, interleaved: inside a lab server, and the analysis over trees of 6,000 and 25,000 files
	@tests/lab/install bench
	@tests/bench/run
	@tests/bench/analysis

bench-analysis: ## the analysis against hand-made truth: CASES=file.json REPOS=directory of clones
	@cargo run --quiet --release -p hydron-tests --bin analysis-score -- --cases "$(CASES)" --repos "$(REPOS)"

dockerfiles: ## every framework's generated Dockerfile, read by hadolint
	@coordinator/analysis/hadolint

starters:    ## every starter's generated Dockerfile, built and asked over HTTP (needs Docker and the lab's base images)
	@tests/lab/base-images starters
	@cargo run --quiet -p hydron-tests --bin starters -- tests/starters --version python=3.11 --version node=22 --version nginx=1.22 --version go=1.19 --version rust=1.85

generate:    ## files that are made from others and committed
	@tests/lab/generate
