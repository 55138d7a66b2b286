# O2O: PGXS build. "make help" lists the targets.
# The version is written in O2O.control alone.

EXTENSION = O2O
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" O2O.control)

MODULE_big = o2o
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/[!m]*/*.c)))
PG_CPPFLAGS = -I$(CURDIR)/src -DO2O_VERSION=\"$(EXTVERSION)\"
SHLIB_LINK = -lproj

# What needs a heavy library is a module of its own, loaded at its first call.
PHONE_OBJS = src/modules/phone/phone.o src/modules/phone/phone_parse.o
IDN_OBJS = src/modules/idn/idn.o
PINYIN_OBJS = src/modules/pinyin/pinyin.o
MODULE_LIBS = $(if $(wildcard src/modules/phone/*.cc),o2o_phone.so) $(if $(wildcard src/modules/idn/*.c),o2o_idn.so) $(if $(wildcard src/modules/pinyin/*.c),o2o_pinyin.so)

INSTALL_PIECES = $(sort $(wildcard sql/install/*.sql))
MODEL_PIECES = $(sort $(wildcard sql/model/*.sql))
DATA_built = build/O2O--$(EXTVERSION).sql
DATA = $(wildcard sql/upgrade/*.sql)
EXTRA_CLEAN = build/O2O--*.sql $(MODULE_LIBS) $(PHONE_OBJS) $(IDN_OBJS) $(PINYIN_OBJS) \
	$(patsubst %.o,%.d,$(OBJS) $(PHONE_OBJS) $(IDN_OBJS) $(PINYIN_OBJS))

REGRESS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test
ISOLATION = $(sort $(patsubst test/isolation/specs/%.spec,%,$(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation

PG_CONFIG ?= pg_config
override with_llvm := no
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Debian's PGXS tracks no header dependencies. The server's own array macros compare signs.
override CFLAGS += -MMD -MP -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare $(WERROR)
-include $(patsubst %.o,%.d,$(OBJS) $(PHONE_OBJS) $(IDN_OBJS) $(PINYIN_OBJS))

all: $(MODULE_LIBS)

build/O2O--$(EXTVERSION).sql: sql/join.pl $(INSTALL_PIECES) $(MODEL_PIECES) O2O.control
	@mkdir -p build
	perl sql/join.pl --version $(EXTVERSION) $(INSTALL_PIECES) --model $(MODEL_PIECES) > $@.tmp
	mv $@.tmp $@

src/modules/phone/phone_parse.o: src/modules/phone/phone_parse.cc
	$(CXX) -std=c++17 -O2 -g -fPIC -Wall -Wextra $(WERROR) -MMD -MP -Isrc -c -o $@ $<

o2o_phone.so: $(PHONE_OBJS)
	$(CXX) -shared -o $@ $(PHONE_OBJS) $(LDFLAGS) -lphonenumber

o2o_idn.so: $(IDN_OBJS)
	$(CC) -shared -o $@ $(IDN_OBJS) $(LDFLAGS) -lidn2

o2o_pinyin.so: $(PINYIN_OBJS)
	$(CC) -shared -o $@ $(PINYIN_OBJS) $(LDFLAGS) -licui18n -licuuc

install: install-modules
install-modules: $(MODULE_LIBS)
	$(MKDIR_P) '$(DESTDIR)$(pkglibdir)'
	$(if $(strip $(MODULE_LIBS)),$(INSTALL_SHLIB) $(MODULE_LIBS) '$(DESTDIR)$(pkglibdir)/')

uninstall: uninstall-modules
uninstall-modules:
	rm -f $(addprefix '$(DESTDIR)$(pkglibdir)'/, $(MODULE_LIBS))

demo:
	./demo/run
test:
	./test/run
bench:
	./bench/run $(ROOM)
docs:
	./docs/generate
format:
	find src -name '*.[ch]' -o -name '*.cc' | xargs clang-format-14 -i

help:
	@echo 'make            build the extension (PG_CONFIG=... chooses the server)'
	@echo 'make install    install it into that server'
	@echo 'make demo       run the main job on its own throwaway server (./demo/run)'
	@echo 'make test       run all tests on their own throwaway server (./test/run)'
	@echo 'make bench      measure each room against its peers, or ROOM=... alone (./bench/run)'
	@echo 'make docs       write docs/reference.md from the comments (./docs/generate)'
	@echo 'make format     format the C sources (clang-format-14)'
	@echo 'make installcheck   run the regress and isolation tests on a running server'

.PHONY: demo test bench docs format help install-modules uninstall-modules
