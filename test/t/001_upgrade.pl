# An upgraded database has the same catalog as a fresh one: for every release
# that an upgrade script leads away from, compare pg_dump --binary-upgrade of
# both, in which every object, member, comment and privilege is spelled out.
# test/upgrade/O2O--A.sql is the script of release A as it was released.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my %from;
for my $path (glob 'sql/upgrade/O2O--*--*.sql')
{
	my ($old) = $path =~ m{/O2O--([^-]+)--([^-]+)\.sql$}
	  or die "$path: not named O2O--A--B.sql\n";
	$from{$old} = 1;
}
plan skip_all => 'no upgrade script yet: this is the first release' unless %from;

my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->start;

# The catalog of a database as text, without oids and what pg_dump makes up anew.
sub catalog
{
	my ($database) = @_;
	my ($out, $err) = run_command(
		[ 'pg_dump', '--binary-upgrade', '--schema-only', '-d', $node->connstr($database) ]);
	die $err if $out eq '';
	my @lines = grep {
		     !/^SELECT pg_catalog\.binary_upgrade_set_next_/
		  && !/^--/
		  && !/^\\(un)?restrict /
		  && !/^\s*$/
	} split /\n/, $out;
	s/((?:oid|relfrozenxid|relminmxid) = )'\d+'/$1'0'/g, s/'\{\d+(,\d+)*\}'/'{0}'/ for @lines;
	return join "\n", @lines;
}

# What the upgraded catalog lacks (-) and has too many (+).
sub difference
{
	my @files;
	for my $text (@_)
	{
		my $file = PostgreSQL::Test::Utils::tempdir() . '/catalog';
		append_to_file($file, "$text\n");
		push @files, $file;
	}
	return scalar qx(diff -U2 $files[0] $files[1]);
}

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION "O2O" CASCADE');
my $want = catalog('fresh');
like($want, qr/CREATE FUNCTION o2o\.library_version/, 'the dump spells the members out');

for my $old (sort keys %from)
{
	(my $database = "from_$old") =~ s/\W/_/g;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, qq{CREATE EXTENSION "O2O" VERSION '$old' CASCADE});
	$node->safe_psql($database, 'ALTER EXTENSION "O2O" UPDATE');
	my $found = catalog($database);
	ok($found eq $want, "upgraded from $old, the catalog is that of a fresh installation")
	  or diag(difference($want, $found));
}

done_testing();
