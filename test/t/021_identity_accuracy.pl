# Probabilistic matching with its defaults, unsupervised, on two small sets of real
# data, must be as good as bench/identity/accuracy says, and equal when run again.
# The data are read from O2O_DATA (default ../shared/data).
use strict;
use warnings;
use IPC::Run qw(run);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $data = ($ENV{O2O_DATA} // '../shared/data') . '/identity';
plan skip_all => "no $data" unless -d $data;

my $node = PostgreSQL::Test::Cluster->new('accuracy');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;

for my $set (qw(RLdata500 fake_1000))
{
	my $file = "bench/identity/accuracy/$set.sql";
	my $source = slurp_file($file);
	my ($csv) = $source =~ /^-- file: (\S+)$/m or die "$file names no file";
	my ($floors) = $source =~ /^-- floor: (.+)$/m or die "$file has no floor";
	my ($out, $err) = ('', '');

	$node->safe_psql('postgres', "CREATE DATABASE \"$set\"");
	$node->safe_psql($set, 'CREATE EXTENSION "O2O" CASCADE');
	run([ 'psql', '-X', '-q', '-At', '-x', '-F=', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($set), '-f', $file, '-f', 'bench/identity/accuracy.sql' ],
		'<', "$data/$csv", '>', \$out, '2>', \$err) or die "psql: $err";
	my %is = $out =~ /^(\w+)=(.*)$/mg;
	for my $floor (split /, /, $floors)
	{
		my ($name, $least) = split ' ', $floor;
		cmp_ok($is{$name}, '>=', $least, "$set: $name");
	}
	is($is{rerun}, 'equal', "$set: a rerun is equal to the bit");
}

$node->stop;
done_testing();
