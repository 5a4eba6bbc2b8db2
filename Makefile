# make            builds colossusd, colossus and libcolossus in build/
# make test       everything: unit tests, floors, generated docs, end-to-end; totals last
# make unit       the unit tests alone (FLOOR=core: those of one floor)
# make demo       the main job, shown
# make sim        simulated failures of the disk and cuts of the power: tests/sim.sh says what SEEDS, SEED, CUTS
#                 and CALLS do
# make install    PREFIX=/usr/local, DESTDIR=; and make uninstall
# make faults     every allocation of every method fails once (FAULTS='--lasting', FAULTS=create: some of them)
# make mutants    does a test fail when the core is wrong in one place? (MUTANTS='--count 100 calendar')
# make planted    which check finds each of some faults that were thought of
# make coverage   which lines and branches the tests reach (COVERAGE='--show core': which they don't)
# make crash      CYCLES=2000: kills the daemon so often under load, and more of the other crash tests too
# make fuzz       libFuzzer on the wire, the manifest and the book, SECONDS=60 each; FUZZ_SANITIZE=no for long runs
# make bench, make format, make check-format, make clean
#
# make analyze, make cppcheck, make tidy    what gcc, cppcheck and clang-tidy find in the source
# make valgrind   the unit tests under valgrind, but for those that repeat one thing hundreds of times
# make tsan       the end-to-end tests with a daemon built to find races between its threads
#
# CC=clang, SANITIZE=1 (address and undefined behaviour, in a build folder of its own), WERROR=1, BUILD=folder.
# What is missing is installed through apt first (.ci/packages); SETUP=no leaves that out.

MAKEFLAGS += --no-builtin-rules --no-print-directory
# In parallel, unless it was said otherwise; but make clean all is one after the other.
ifeq ($(filter -j% --jobserver%,$(MAKEFLAGS))$(filter clean,$(MAKECMDGOALS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
.DELETE_ON_ERROR:
.SECONDARY:
.SECONDEXPANSION:
.DEFAULT_GOAL := all
comma := ,

ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
SECONDS ?= 60
CYCLES ?= 2000
BUILD ?= build$(if $(SANITIZE),/sanitize$(filter thread,$(SANITIZE)))
VERSION := $(shell sed -n 's/^.define COLOSSUS_VERSION *"\(.*\)"/\1/p' src/server/version.h 2>/dev/null)

# ---- Set-up: before all that follows, because pkg-config may be among what is missing

goals := $(or $(MAKECMDGOALS),all)
needs := $(if $(filter-out clean uninstall,$(goals)),build)
needs := $(if $(filter test unit sim crash,$(goals)),test,$(needs))
needs := $(if $(filter fuzz format check-format valgrind analyze cppcheck tidy,$(goals)),ci,$(needs))
ifneq ($(if $(filter no,$(SETUP)),,$(needs)),)
ifneq ($(shell CC='$(CC)' PYTHON='$(PYTHON)' .ci/packages $(needs) || echo failed),)
$(error what the build needs is not there)
endif
endif
PYTHON := $(or $(PYTHON),$(shell command -v /usr/bin/python3 || command -v python3))

# ---- Flags

ifneq ($(needs),)
libraries_used := libuv jansson sqlite3 libsodium $(shell pkg-config --exists libsystemd && echo libsystemd)
library_flags := $(shell pkg-config --cflags $(libraries_used))
libraries := $(shell pkg-config --libs $(libraries_used))
endif

CFLAGS ?= -O2 -g
own_flags := -std=c17 -D_GNU_SOURCE -Isrc -Iinclude -I$(BUILD) \
	-Wall -Wextra -Wpedantic -Wconversion -fPIE -fstack-protector-strong $(library_flags)
ifneq ($(WERROR),)
own_flags += -Werror
endif
ifneq ($(filter libsystemd,$(libraries_used)),)
own_flags += -DHAVE_SYSTEMD
endif
ifneq ($(SANITIZE),)
sanitizers := -fsanitize=$(if $(filter thread,$(SANITIZE)),thread,address,undefined) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
else ifneq ($(filter -O1 -O2 -O3 -Os,$(CFLAGS)),)
own_flags += -D_FORTIFY_SOURCE=2
endif
compile := $(own_flags) $(sanitizers) $(CPPFLAGS) $(CFLAGS)
link := -pie -Wl,-z,relro,-z,now -pthread $(sanitizers) $(CFLAGS) $(LDFLAGS)

# V=1 shows the commands themselves.
quiet := $(if $(V),,@)
say = $(if $(V),,@printf '%-6s %s\n' '$(1)' '$(2)')

# ---- What is there: new files are picked up by themselves

objects_of = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)))
generated := $(BUILD)/generated
floors := base core ledger wire hook server client cli
objects_base := $(call objects_of,src/base/*.c)
objects_core := $(call objects_of,src/core/*.c)
objects_ledger := $(call objects_of,src/ledger/*.c) $(if $(wildcard schema/statements.sql),$(generated)/sql.o)
objects_wire := $(call objects_of,src/wire/*.c)
objects_hook := $(call objects_of,src/hook/*.c)
objects_server := $(call objects_of,src/server/*.c) $(if $(wildcard schema/generate.py),$(generated)/openrpc.o)
objects_client := $(call objects_of,src/client/*.c)
objects_cli := $(call objects_of,src/cli/*.c) $(if $(wildcard schema/generate.py),$(generated)/openrpc.o)
object_daemon := $(call objects_of,src/colossusd.c)
generated_headers := $(patsubst %.o,%.h,$(filter $(generated)/%,$(objects_ledger) $(objects_server)))

# What each floor's tests and programs are linked with: a floor and what stands below it.
below_base := base
below_core := core base
below_ledger := ledger core base
below_wire := wire core base
below_hook := hook base
below_server := server hook ledger wire core base
below_client := client
below_cli := cli client ledger core base
below_bench := base
archives = $(patsubst %,$(BUILD)/obj/%.a,$(1))

programs := $(if $(object_daemon),$(BUILD)/colossusd) $(if $(wildcard src/cli/*.c),$(BUILD)/colossus)
library := $(if $(objects_client),$(addprefix $(BUILD)/,libcolossus.a libcolossus.so colossus.pc))
schema_docs := $(if $(wildcard schema/generate.py),$(generated)/openrpc.json)

FLOOR ?= *
unit_sources := $(wildcard tests/unit/$(FLOOR)/*_test.c) $(if $(filter *,$(FLOOR)),$(wildcard tests/sim/*_test.c))
unit_tests := $(patsubst %.c,$(BUILD)/%,$(unit_sources))
# What the tests of one folder share; those of the command line also have the client's fake daemon.
helpers_in = $(call objects_of,$(filter-out %_test.c,$(wildcard $(1)/*.c $(if $(filter %/cli,$(1)),tests/unit/client/*.c))))

.PHONY: all test unit unit-programs e2e crash-programs crash tsan valgrind analyze cppcheck tidy sim demo install uninstall bench fuzz faults mutants planted coverage format check-format clean always

all: $(programs) $(library) $(schema_docs)

# ---- Compiling

# The compiler and its flags, rewritten only when they change; everything compiled depends on it.
$(BUILD)/flags: always
	@mkdir -p $(@D)
	@echo '$(CC) $(compile) $(link)' | cmp -s - $@ || echo '$(CC) $(compile) $(link)' >$@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags | $(generated_headers)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(compile) -MMD -MP -c -o $@ $<

# The client is also made into a shared library. It and the command line learn their version from here.
$(objects_client): private compile += -fPIC
$(objects_client) $(objects_cli): private compile += -DCOLOSSUS_VERSION='"$(VERSION)"'
# The benchmark reads its scripts for PostgreSQL where they are.
$(call objects_of,tests/bench/peer.c): private compile += -DPEER_FOLDER='"$(abspath tests/bench)"'

$(generated)/%.o: $(generated)/%.c $(BUILD)/flags
	$(call say,CC,$<)
	$(quiet)$(CC) $(compile) -MMD -MP -c -o $@ $<

$(addprefix $(BUILD)/obj/,$(addsuffix .a,$(floors))): $(BUILD)/obj/%.a: $$(objects_$$*)
	@mkdir -p $(@D)
	@rm -f $@
	$(quiet)$(AR) rcs $@ $^

-include $(shell find $(BUILD)/obj $(generated) -name '*.d' 2>/dev/null)

# ---- Generated: SQL, and the OpenRPC document

$(generated)/sql.c $(generated)/sql.h &: schema/embed.py schema/statements.sql $(wildcard schema/views.sql schema/migrations/*.sql)
	$(call say,EMBED,$(generated)/sql.c)
	$(quiet)$(PYTHON) schema/embed.py sql $(generated)

$(generated)/openrpc.json: $(wildcard schema/generate.py schema/*.json schema/methods/*.json)
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(quiet)$(PYTHON) schema/generate.py openrpc >$@

$(generated)/openrpc.c $(generated)/openrpc.h &: schema/embed.py $(generated)/openrpc.json
	$(call say,EMBED,$(generated)/openrpc.c)
	$(quiet)$(PYTHON) schema/embed.py openrpc $(generated)/openrpc.json $(generated)

# ---- Programs and the library

$(BUILD)/colossusd: $(object_daemon) $(call archives,$(below_server))
	$(call say,LD,$@)
	$(quiet)$(CC) $(link) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(libraries)

$(BUILD)/colossus: $(objects_cli) $(call archives,$(filter-out cli,$(below_cli)))
	$(call say,LD,$@)
	$(quiet)$(CC) $(link) -o $@ $(objects_cli) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(libraries)

$(BUILD)/libcolossus.a: $(objects_client)
	$(call say,AR,$@)
	@rm -f $@
	$(quiet)$(AR) rcs $@ $^

$(BUILD)/libcolossus.so.0: $(objects_client) src/client/libcolossus.map
	$(call say,LD,$@)
	$(quiet)$(CC) -shared -Wl,-soname,libcolossus.so.0 -Wl,--version-script=src/client/libcolossus.map \
		-Wl,-z,relro,-z,now $(if $(SANITIZE),,-Wl,--no-undefined) $(sanitizers) $(CFLAGS) $(LDFLAGS) \
		-o $@ $(objects_client) $(shell pkg-config --libs jansson)

$(BUILD)/libcolossus.so: $(BUILD)/libcolossus.so.0
	@ln -sf libcolossus.so.0 $@

# Always, because PREFIX may be another than the last time.
$(BUILD)/colossus.pc: src/client/libcolossus.pc.in always
	@mkdir -p $(@D)
	$(quiet)sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@VERSION@|$(VERSION)|g' $< >$@

# ---- Tests

floor_of = $(firstword $(subst /, ,$(1)))

$(BUILD)/tests/unit/%_test: $(BUILD)/obj/tests/unit/%_test.o $$(call helpers_in,tests/unit/$$(call floor_of,$$*)) \
		$$(call archives,$$(below_$$(call floor_of,$$*)))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(libraries) -lcmocka

helpers_of_sim := $(filter-out %/simulate.o,$(call helpers_in,tests/sim)) $(BUILD)/obj/tests/sim/sql.o
$(BUILD)/tests/sim/%_test: $(BUILD)/obj/tests/sim/%_test.o $(helpers_of_sim) $(call archives,$(below_ledger))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(libraries) -lcmocka

# Here the system can be told to have no more memory.
$(BUILD)/tests/unit/base/memory_test: private link += -Wl,--wrap=calloc,--wrap=malloc,--wrap=realloc

# The simulator's ledger is on a disk in memory and knows one migration more.
simulator := $(BUILD)/tests/sim/simulate
$(BUILD)/obj/tests/sim/sql.o: $(generated)/sql.c $(BUILD)/flags
	$(call say,CC,$< for the simulator)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(compile) -Dmigrations=shipped_migrations -Dmigration_count=shipped_migration_count -c -o $@ $<

$(simulator): $(call objects_of,tests/sim/simulate.c) $(helpers_of_sim) $(call archives,$(below_ledger))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(libraries) -lcmocka

sim: $(simulator)
	@SEEDS='$(SEEDS)' SEED='$(SEED)' CUTS='$(CUTS)' CALLS='$(CALLS)' bash tests/sim.sh $(simulator)

# And here the ledger's thread to be slow.
$(BUILD)/tests/unit/server/worker_test: private link += -Wl,--wrap=uv_async_send

# Of the benchmark only what reckons is tested, with the objects that it has there.
$(BUILD)/tests/unit/bench/histogram_test: $(call objects_of,tests/bench/histogram.c)

unit-programs: $(unit_tests)

run_tests = BUILD='$(BUILD)' BUILD_DIR='$(abspath $(BUILD))' PYTHON='$(PYTHON)' CC='$(CC)' SANITIZE='$(SANITIZE)' bash tests/run.sh

unit: $(unit_tests)
	@$(run_tests) unit $(unit_tests)

test: all $(unit_tests) $(BUILD)/tests/bench/bench $(call archives,core base) crash-programs $$(fuzz_replays)
	@$(run_tests) all $(unit_tests)

e2e: all
	@$(run_tests) e2e

tsan:
	@$(MAKE) --no-print-directory e2e SANITIZE=thread

# Without those that do the same thing hundreds of times over.
valgrind: $(unit_tests)
	@UNDER='valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite' $(run_tests) unit \
		$(filter-out %memory_test %/verify_test %/views_test,$(filter $(BUILD)/tests/unit/%,$(unit_tests)))

analyze cppcheck tidy: $(generated_headers)
	@bash tests/static.sh $@ $(filter-out -Werror -fPIE,$(own_flags)) -DCOLOSSUS_VERSION='"$(VERSION)"' $(CPPFLAGS)

# What the daemon is loaded with to make its calls fail; no sanitizer may be in it.
$(BUILD)/tests/crash/shim.so: tests/crash/shim.c $(BUILD)/flags
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(filter-out -fPIE -D_FORTIFY_SOURCE=2,$(own_flags)) -O2 -g -fPIC -shared -pthread -o $@ $<

$(BUILD)/tests/crash/flip: $(call objects_of,tests/crash/flip.c tests/crash/served.c) \
		$(call helpers_in,tests/unit/ledger) $(call archives,wire ledger core base)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(libraries) -lcmocka

crash-programs: $(BUILD)/tests/crash/shim.so $(BUILD)/tests/crash/flip

crash: all crash-programs
	@BUILD_DIR='$(abspath $(BUILD))' CYCLES='$(CYCLES)' $(PYTHON) tests/crash/run.py

demo: all
	@BUILD_DIR='$(abspath $(BUILD))' bash tests/demo.sh

$(BUILD)/tests/bench/bench: $(call objects_of,tests/bench/*.c) $(call archives,$(below_ledger))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(libraries)

bench: all $(BUILD)/tests/bench/bench
	@BUILD_DIR='$(abspath $(BUILD))' $(BUILD)/tests/bench/bench

# libFuzzer's targets are compiled by clang, and all that they are linked with, so that all of it is instrumented.
# With FUZZ_SANITIZE=no there are no other sanitizers, and comparisons are not watched: several times as many inputs a
# second, for long runs.
fuzz_targets := request manifest book
fuzz_folder := $(BUILD)/fuzz$(if $(filter no,$(FUZZ_SANITIZE)),/fast)
fuzz_sanitizers := $(if $(filter no,$(FUZZ_SANITIZE)),-O2 -fno-sanitize-coverage=trace-cmp,-O1 -fno-omit-frame-pointer -fsanitize=address$(comma)undefined \
	-fno-sanitize-recover=all)
fuzz_compile := $(filter-out -fPIE -D_FORTIFY_SOURCE=2,$(own_flags)) -g -fsanitize=fuzzer-no-link $(fuzz_sanitizers)
fuzz_helpers := $(filter-out $(patsubst %,tests/fuzz/%.c,$(fuzz_targets) replay),$(wildcard tests/fuzz/*.c))
fuzz_sources := $(fuzz_helpers) tests/sim/store.c $(foreach floor,$(below_wire),$(wildcard src/$(floor)/*.c))
fuzz_objects := $(patsubst %.c,$(fuzz_folder)/obj/%.o,$(fuzz_sources))

$(fuzz_folder)/obj/%.o: %.c $(BUILD)/flags
	$(call say,FUZZ,$<)
	@mkdir -p $(@D)
	$(quiet)clang $(fuzz_compile) -MMD -MP -c -o $@ $<

-include $(shell find $(fuzz_folder)/obj -name '*.d' 2>/dev/null)

$(patsubst %,$(fuzz_folder)/%,$(fuzz_targets)): $(fuzz_folder)/%: $(fuzz_folder)/obj/tests/fuzz/%.o $(fuzz_objects)
	$(call say,LD,$@)
	$(quiet)clang -fsanitize=fuzzer $(fuzz_sanitizers) -o $@ $^ $(libraries) -lcmocka

fuzz: $(patsubst %,$(fuzz_folder)/%,$(fuzz_targets))
	@bash tests/fuzz/run.sh '$(fuzz_folder)' '$(BUILD)/fuzz/learnt' '$(SECONDS)' $(fuzz_targets)

# What fuzzing started from and what it found, again and by the ordinary compiler.
fuzz_replays := $(patsubst %,$(BUILD)/tests/fuzz/replay_%,$(fuzz_targets))

$(fuzz_replays): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/replay.o \
		$(patsubst %.c,$(BUILD)/obj/%.o,$(fuzz_helpers) tests/sim/store.c) $(call archives,$(below_wire))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(libraries) -lcmocka

# ---- Faults: memory that runs out, in the whole daemon

$(BUILD)/tests/faults/failing_memory.so: tests/faults/failing_memory.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(filter-out -fPIE,$(own_flags)) -O2 -fPIC -fno-builtin -shared -o $@ $<

faults: all $(BUILD)/tests/faults/failing_memory.so
	@BUILD_DIR='$(abspath $(BUILD))' PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/faults/memory.py $(FAULTS)

# ---- Mutants, and what the tests reach

mutants: $(generated)/sql.c
	@BUILD_DIR='$(abspath $(BUILD))' PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/faults/mutants.py $(MUTANTS)

planted:
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/faults/planted.py $(PLANTED)

# A build of its own, without assertions, because the way on which one fails is never to be taken.
coverage:
	@find $(BUILD)/coverage -name '*.gcda' -delete 2>/dev/null; true
	@$(MAKE) BUILD=$(BUILD)/coverage CFLAGS='-O0 -g --coverage -fprofile-update=atomic -DNDEBUG' all unit-programs
	@BUILD_DIR='$(abspath $(BUILD)/coverage)' PYTHON='$(PYTHON)' bash tests/run.sh reached \
		$(patsubst $(BUILD)/%,$(BUILD)/coverage/%,$(unit_tests))
	@$(PYTHON) tests/faults/coverage.py $(abspath $(BUILD))/coverage $(COVERAGE)

# ---- Format

c_files = $(shell find src include tests -name '*.[ch]')
clang_format = $(shell command -v clang-format-14 || command -v clang-format)

format:
	@$(clang_format) -i $(c_files)

check-format:
	@$(clang_format) --dry-run -Werror $(c_files)

# ---- Installing

to := $(DESTDIR)$(PREFIX)
manuals := $(wildcard docs/*.1 docs/*.8)
completion := $(wildcard src/cli/completion.bash)
manifest_schema := $(wildcard schema/manifest.schema.json)
# A daemon that can't speak to systemd would be taken for one that never gets ready.
units := $(filter libsystemd,$(libraries_used))
put = install -D -m $(1) $(2) '$(to)/$(3)'

install: all
	$(foreach program,$(programs),$(call put,0755,$(program),bin/$(notdir $(program)))$(newline))
ifneq ($(library),)
	$(call put,0644,include/colossus.h,include/colossus.h)
	$(call put,0644,$(BUILD)/libcolossus.a,lib/libcolossus.a)
	$(call put,0644,$(BUILD)/libcolossus.so.0,lib/libcolossus.so.0)
	ln -sf libcolossus.so.0 '$(to)/lib/libcolossus.so'
	$(call put,0644,$(BUILD)/colossus.pc,lib/pkgconfig/libcolossus.pc)
endif
	$(foreach page,$(manuals),$(call put,0644,$(page),share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))$(newline))
	$(foreach file,$(completion),$(call put,0644,$(file),share/bash-completion/completions/colossus)$(newline))
	$(foreach file,$(schema_docs) $(manifest_schema),$(call put,0644,$(file),share/colossus/$(notdir $(file)))$(newline))
ifneq ($(units),)
	install -d '$(to)/lib/systemd/system'
	sed -e 's|@PREFIX@|$(PREFIX)|g' src/systemd/colossusd.service.in >'$(to)/lib/systemd/system/colossusd.service'
	chmod 0644 '$(to)/lib/systemd/system/colossusd.service'
	$(call put,0644,src/systemd/colossusd.socket,lib/systemd/system/colossusd.socket)
	$(call put,0644,src/systemd/colossus.sysusers,lib/sysusers.d/colossus.conf)
	$(call put,0644,src/systemd/colossus.tmpfiles,lib/tmpfiles.d/colossus.conf)
endif

uninstall:
	rm -f $(foreach file,bin/colossusd bin/colossus include/colossus.h lib/libcolossus.a lib/libcolossus.so.0 \
		lib/libcolossus.so lib/pkgconfig/libcolossus.pc share/bash-completion/completions/colossus \
		$(addprefix lib/systemd/system/,colossusd.service colossusd.socket) \
		lib/sysusers.d/colossus.conf lib/tmpfiles.d/colossus.conf share/colossus/openrpc.json share/colossus/manifest.schema.json \
		$(foreach page,$(manuals),share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))),'$(to)/$(file)')
	-rmdir '$(to)/share/colossus' 2>/dev/null

clean:
	rm -rf $(BUILD)

# A line's end, for the lists above.
define newline


endef
