.PHONY: run test lint bench

run:   ; @scripts/run
test:  ; @scripts/test
lint:  ; @scripts/lint
bench: ; @scripts/bench
