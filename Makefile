.PHONY: run test lint bench soak

run:   ; @scripts/run
test:  ; @scripts/test
lint:  ; @scripts/lint
bench: ; @scripts/bench
soak:  ; @scripts/soak
