# kill -9 of the postmaster and all its backends while indexes on positions are
# built and written to: afterwards every search answers as a sequential scan does,
# by SP-GiST and by GiST, on the primary, on a standby that runs along, and on it
# once it is promoted. The server compares each page that it replays with the one
# that was written (wal_consistency_checking).
use strict;
use warnings;
use lib 'test/t';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(sleep);

my ($rounds, $rows) = is_long() ? (12, 400_000) : (2, 30_000);
my $seed = seed();
srand($seed);
my $node = PostgreSQL::Test::Cluster->new('store_crash');
$node->init(allows_streaming => 1, extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "wal_consistency_checking = 'spgist, gist, heap, heap2'\nautovacuum = off\njit = off\nsearch_path = 'public, o2o'\n"
	  . "checkpoint_timeout = 30s\nmax_wal_size = 64MB\nwal_keep_size = 2GB\nmaintenance_work_mem = 64MB");
$node->start;
$node->backup('start');
my $standby = PostgreSQL::Test::Cluster->new('store_crash_standby');
$standby->init_from_backup($node, 'start', has_streaming => 1);
$standby->start;

$node->safe_psql('postgres', qq{
	CREATE EXTENSION "O2O" CASCADE;
	CREATE FUNCTION somewhere() RETURNS geopoint LANGUAGE sql VOLATILE
	RETURN CASE floor(random() * 5)
		WHEN 0 THEN geopoint(random() * 360 - 180, degrees(asin(random() * 2 - 1)))
		WHEN 1 THEN geopoint(round((100 + random())::numeric, 2)::float8, round((30 + random())::numeric, 2)::float8)
		WHEN 2 THEN geopoint(CASE WHEN random() < 0.5 THEN 180 - random() * 0.1 ELSE random() * 0.1 - 180 END, random())
		ELSE geopoint(121 + random(), 31 + random()) END;
	CREATE TABLE place (id bigserial, pos geopoint);
	INSERT INTO place (pos) SELECT somewhere() FROM generate_series(1, $rows);
	CREATE TABLE written (id bigserial, pos geopoint);
	CREATE INDEX written_spgist ON written USING spgist (pos);
	CREATE INDEX written_gist ON written USING gist (pos);});

# What a table answers: the ids and metres of the nearest from many places, of circles and of all rows in order.
my $answers = q{
	SELECT md5(string_agg(list, '/' ORDER BY n)) FROM (
		SELECT n, (SELECT string_agg(t.id || ':' || t.metres, ',') FROM (SELECT id, pos <-> p AS metres FROM %1$s ORDER BY pos <-> p, id LIMIT 30) t) || '#'
			|| (SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM %1$s WHERE pos <@ geocircle(p, 3000)) AS list
		FROM (SELECT n, geopoint((n * 37) %% 360 - 180, (n * 53) %% 180 - 90) AS p FROM generate_series(1, 4) n
			UNION ALL SELECT 100 + n, geopoint(121 + (n * 17 %% 100) * 0.01, 31 + (n * 29 %% 100) * 0.01) FROM generate_series(1, 10) n
			UNION ALL SELECT 200 + n, geopoint(100 + n * 0.01, 30 + n * 0.01) FROM generate_series(1, 6) n
			UNION ALL VALUES (300, '180,0.5'::geopoint), (301, '0,90')) s) a};
my $everything = q{SELECT count(*), count(DISTINCT id), bool_and(metres >= before) IS NOT FALSE
	FROM (SELECT id, metres, lag(metres) OVER () AS before FROM (SELECT id, pos <-> '121.5,31.5' AS metres FROM %1$s ORDER BY pos <-> '121.5,31.5' OFFSET 0) t) t};

# What the table without indexes answers; nobody writes to place, so a server is asked once.
my %of_place;
sub plain_answers
{
	my ($server, $table) = @_;
	return $of_place{ $server->name } if $table eq 'place' && $of_place{ $server->name };
	my $said = $server->safe_psql('postgres', 'SET enable_indexscan = off; SET enable_bitmapscan = off; ' . sprintf "$answers; SELECT count(*) FROM %1\$s", $table);
	$of_place{ $server->name } = $said if $table eq 'place';
	return $said;
}

# Every index that a table has, against the table without.
sub same_answers
{
	my ($server, $table, $when) = @_;
	my ($expected, $count) = split /\n/, plain_answers($server, $table);
	my @methods = split /\n/, $server->safe_psql('postgres', "SELECT am.amname FROM pg_index i JOIN pg_class c ON c.oid = indexrelid JOIN pg_am am ON am.oid = c.relam WHERE indrelid = '$table'::regclass AND indisvalid ORDER BY 1");
	for my $method (@methods)
	{
		# the other index out of sight of this transaction, where that can be written, or the one the planner takes
		my $only = 'SET enable_seqscan = off; SET enable_sort = off; ';
		my $hide = @methods > 1 && $server->safe_psql('postgres', 'SELECT pg_is_in_recovery()') eq 'f'
		  ? "DROP INDEX ${table}_" . ($method eq 'gist' ? 'spgist' : 'gist') . '; ' : '';
		my $out = $server->safe_psql('postgres', "BEGIN; $only $hide" . sprintf("EXPLAIN (COSTS off) SELECT id FROM %1\$s ORDER BY pos <-> '1,1' LIMIT 1; $answers; $everything; ROLLBACK", $table));
		my @lines = split /\n/, $out;
		is(join(' ', @lines[-2, -1]), "$expected $count|$count|t", "$when: $table" . ($hide || @methods == 1 ? " by $method" : ' by its index') . ", $count rows") or diag($out);
	}
	return scalar @methods;
}

sub amvalidate_ok
{
	my ($server, $when) = @_;
	is($server->safe_psql('postgres', q{SELECT bool_and(amvalidate(oid)), count(*) FROM pg_opclass WHERE opcname LIKE 'geopoint_%gist_ops'}), 't|2', "$when: amvalidate");
	return;
}

my $builds = 0;
my $killed = 0;
for my $round (1 .. $rounds)
{
	my $method = $round % 2 ? 'spgist' : 'gist';
	my @clients;
	# One builds, two insert, one moves, deletes and vacuums.
	for my $sql ("CREATE INDEX place_$method ON place USING $method (pos)",
		("INSERT INTO written (pos) SELECT somewhere() FROM generate_series(1, 50)") x 2,
		'UPDATE written SET pos = somewhere() WHERE id % 13 = floor(random() * 13); DELETE FROM written WHERE id % 29 = floor(random() * 29); VACUUM written')
	{
		my $file = PostgreSQL::Test::Utils::tempdir() . "/sql_$round" . scalar @clients;
		my $repeats = $sql =~ /^CREATE/ ? 1 : 5000;
		append_to_file($file, join('', map { "$_;\n" } split /; /, $sql) x $repeats);
		my ($out, $err) = ('', '');
		push @clients, IPC::Run::start([ 'psql', '-XqAt', '-f', $file, '-d', $node->connstr('postgres') ], '>', \$out, '2>', \$err);
	}
	# Some rounds kill in the middle of the build, others after it.
	my $build = "SELECT count(*) FROM pg_stat_progress_create_index";
	sleep 0.02 + rand($round % 3 == 2 ? 2 : 0.3);
	$builds++ if $node->safe_psql('postgres', $build) eq '1';
	kill_all($node);
	$killed++;
	$_->finish for @clients;
	$node->start;
	same_answers($node, 'written', "round $round, killed");
	my $built = same_answers($node, 'place', "round $round, killed");
	note("round $round: the index was " . ($built ? 'built' : 'not there'));
	$node->safe_psql('postgres', "DROP INDEX IF EXISTS place_$method; CREATE INDEX place_$method ON place USING $method (pos)");
	same_answers($node, 'place', "round $round, built again");
	$node->safe_psql('postgres', q{INSERT INTO written (pos) SELECT somewhere() FROM generate_series(1, 500); VACUUM written});
	same_answers($node, 'written', "round $round, written on");
	$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
	same_answers($standby, $_, "round $round, standby") for 'place', 'written';
	is( $standby->safe_psql('postgres', sprintf $answers, 'written'), $node->safe_psql('postgres', sprintf $answers, 'written'), "round $round: the standby answers as the primary");
	$node->safe_psql('postgres', "DROP INDEX place_$method") if $round < $rounds;
}
# a build of the short test may be over too soon
cmp_ok($builds, '>=', is_long() ? 1 : 0, "$builds of $killed kills fell into a build of an index");
amvalidate_ok($node, 'primary');
amvalidate_ok($standby, 'standby');

# A build and inserts, killed for good; the standby takes over and is written to.
my ($out, $err) = ('', '');
my $writer = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-c', 'INSERT INTO written (pos) SELECT somewhere() FROM generate_series(1, 3000)', '-c', 'REINDEX TABLE place' ], '>', \$out, '2>', \$err);
sleep 0.5;
kill_all($node);
$writer->finish;
$standby->promote;
same_answers($standby, $_, 'promoted') for 'place', 'written';
$standby->safe_psql('postgres', q{INSERT INTO written (pos) SELECT somewhere() FROM generate_series(1, 2000); UPDATE written SET pos = somewhere() WHERE id % 3 = 0; DELETE FROM written WHERE id % 5 = 0; VACUUM written});
same_answers($standby, 'written', 'promoted and written to');

for my $server ($node, $standby)
{
	unlike(slurp_file($server->logfile), qr/PANIC|inconsistent page found/, $server->name . ': no inconsistent page, no PANIC');
}
$standby->stop;
done_testing();
