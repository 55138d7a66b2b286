#!/bin/bash
# O2O.control says the version; META.json and the newest CHANGELOG entry agree,
# and an upgrade script leads to it from every earlier release.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" O2O.control)

[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "O2O.control: no version X.Y.Z: '$version'"; status=1; }
while read -r found; do
	[ "$found" = "$version" ] || { echo "META.json says $found, O2O.control $version"; status=1; }
done < <(perl -MJSON::PP -e 'local $/; my $m = decode_json(<>); print "$m->{version}\n$m->{provides}{O2O}{version}\n"' META.json)
found=$(sed -nE 's/^## ([0-9]+\.[0-9]+\.[0-9]+) .*/\1/p' CHANGELOG.md | head -n 1)
[ "$found" = "$version" ] || { echo "CHANGELOG.md begins with $found, O2O.control says $version"; status=1; }
while read -r found; do
	[ "$found" = "$version" ] || [ -e "test/upgrade/O2O--$found.sql" ] ||
		{ echo "release $found: no test/upgrade/O2O--$found.sql to upgrade from"; status=1; }
done < <(sed -nE 's/^## ([0-9]+\.[0-9]+\.[0-9]+) \([0-9-]+\)$/\1/p' CHANGELOG.md)
exit $status
