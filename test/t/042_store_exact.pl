# Searches by both kinds of index against brute force by PROJ's geod_inverse: a
# program that shares no code with the extension (test/standalone/geo_brute.c)
# judges the order and the rows of every answer, and PostGIS' ST_DWithin the
# radius. On real stores (read from O2O_DATA, default ../shared/data, where they
# are) and random positions with poles, antimeridian and ties, after loads,
# updates, deletes and vacuum, by parallel workers and bitmaps. With --long a million
# positions and 10,000 searches each time, of which 17 by geod_inverse to every
# position: more than 100 of the nearest and more than 100 within a radius.
use strict;
use warnings;
use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my ($random, $searches, $every, $decades) = is_long() ? (1_000_000, 10_000, 580, 2.3) : (10_000, 160, 30, 3.3);
my $seed = seed() % 1000 / 1000;
my $folder = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('store_exact');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\njit = off\nshared_buffers = 512MB\nmaintenance_work_mem = 256MB\nwork_mem = 64MB\n"
	  . "search_path = 'public, o2o'\nmax_parallel_workers_per_gather = 0\nmax_wal_size = 4GB");
$node->start;

sub ask { return $node->safe_psql('postgres', shift); }

# Longitude and latitude of every store of the files that there are.
sub real_stores
{
	my $from = ($ENV{O2O_DATA} // '../shared/data') . '/stores';
	my @files = (
		[ "gzip -dc $from/geonames_cities15000_2013.txt.gz", qr/^(?:[^\t]*\t){4}([-\d.]+)\t([-\d.]+)\t/, 'lat' ],
		[ "gzip -dc $from/starbucks_directory_2017.csv.gz", qr/,([-\d.]+),([-\d.]+)\s*$/, 'lon' ],
		[ "cat $from/us_target_stores.csv", qr/,(-\d+\.\d+),(\d+\.\d+),/, 'lon' ],
		[ "cat $from/ikea_stores_2020.csv", qr/,([-\d.]+),([-\d.]+)\s*$/, 'lat' ],
		[ "cat $from/sg_supermarkets.csv", qr/,([-\d.]+),([-\d.]+)\s*$/, 'lon' ]);
	my @places;
	return @places unless -d $from;
	for my $file (@files)
	{
		open(my $in, '-|', $file->[0]) or die "$file->[0]: $!";
		while (my $line = <$in>)
		{
			push @places, $file->[2] eq 'lon' ? "$1,$2" : "$2,$1" if $line =~ $file->[1];
		}
		close $in;
	}
	return @places;
}

ask('CREATE EXTENSION "O2O" CASCADE; CREATE TABLE place (id bigint, pos geopoint); CREATE TABLE load (n serial, pos geopoint)');
my @real = real_stores();
note(@real ? scalar(@real) . ' real stores' : 'no real stores: no folder stores in O2O_DATA');
append_to_file("$folder/real", join("\n", @real, ''));
ask("COPY load (pos) FROM '$folder/real' (DELIMITER '|')") if @real;
ask(qq{SELECT setseed($seed);
	INSERT INTO place SELECT n, pos FROM load;
	-- sorted outside: an order by random() lends its numbers to whatever else is random beside it
	INSERT INTO place SELECT * FROM (
	SELECT 100000 + i, CASE i % 10
		WHEN 0 THEN geopoint(random() * 360 - 180, degrees(asin(random() * 2 - 1)))
		WHEN 1 THEN geopoint(CASE WHEN i % 20 = 1 THEN -180 + random() * 0.1 ELSE 180 - random() * 0.1 END, random() * 10)
		WHEN 2 THEN geopoint(random() * 360 - 180, CASE WHEN i % 20 = 2 THEN 90 - random() * 0.5 ELSE random() * 0.001 - 90 END)
		WHEN 3 THEN geopoint(round((100 + random() * 2)::numeric, 2)::float8, round((30 + random() * 2)::numeric, 2)::float8)
		WHEN 4 THEN geopoint(CASE i % 20 WHEN 4 THEN 180 ELSE random() * 360 - 180 END, CASE i % 300 WHEN 4 THEN 90 WHEN 14 THEN -90 ELSE random() * 180 - 90 END)
		ELSE geopoint(121 + random() * 2, 31 + random()) END
	FROM generate_series(1, $random) i) made ORDER BY random();
	ANALYZE place;});

# Where searches start: half at a place, others near one, at the seams of the map, anywhere.
sub new_starts
{
	ask(qq{DROP TABLE IF EXISTS start;
		SELECT setseed($seed / 2 + random() / 3);
		CREATE TABLE start AS
		SELECT row_number() OVER () AS n, (ARRAY[1, 3, 10, 10, 50])[1 + floor(random() * 5)::integer] AS k, 10 ^ (1 + $decades * random()) AS radius, pos FROM (
			(SELECT pos FROM place WHERE pos IS NOT NULL ORDER BY random() LIMIT $searches / 2)
			UNION ALL (SELECT geopoint(greatest(-180, least(180, geo_longitude(pos) + random() / 50 - 0.01)), greatest(-90, least(90, geo_latitude(pos) + random() / 50 - 0.01)))
				FROM (SELECT pos FROM place WHERE pos IS NOT NULL ORDER BY random() LIMIT $searches / 4) near)
			UNION ALL SELECT geopoint(random() * 360 - 180, degrees(asin(random() * 2 - 1))) FROM generate_series(1, $searches / 8)
			UNION ALL SELECT geopoint(180 - random() * 0.2, random() * 12 - 1) FROM generate_series(1, $searches / 16)
			UNION ALL SELECT geopoint(random() * 360 - 180, sign(random() - 0.5) * (90 - random() * random())) FROM generate_series(1, $searches / 16 - 4)
			UNION ALL VALUES ('0,90'::geopoint), ('0,-90'), ('180,0'), ('-179.9999999,5')) v;
		ANALYZE start;
		COPY (SELECT id, round(geo_longitude(pos) * 1e7)::bigint, round(geo_latitude(pos) * 1e7)::bigint FROM place WHERE pos IS NOT NULL) TO '$folder/positions' (DELIMITER ' ');});
	return;
}

my %query = (
	nearest => q{(SELECT id, place.pos <-> start.pos AS metres FROM place ORDER BY place.pos <-> start.pos LIMIT start.k) near},
	within => q{(SELECT id, place.pos <-> start.pos AS metres FROM place WHERE geo_dwithin(place.pos, start.pos, start.radius)) near});

# One kind of search from every start: by the plan that the settings leave, judged.
sub judged
{
	my ($kind, $name, $plan, $settings) = @_;
	my $letter = $kind eq 'nearest' ? 'k' : 'r';
	my $limit = $kind eq 'nearest' ? 'k' : 'radius';
	my $answers = "start CROSS JOIN LATERAL (SELECT id, metres, row_number() OVER () AS place FROM $query{$kind}) near";
	like(ask("$settings; EXPLAIN (COSTS off) SELECT n, near.place, id, metres FROM $answers"), $plan, "$name: the plan");
	unlink "$folder/searches", "$folder/rows";
	ask(qq{$settings;
		COPY (SELECT n, '$letter', $limit, round(geo_longitude(pos) * 1e7)::bigint, round(geo_latitude(pos) * 1e7)::bigint FROM start) TO '$folder/searches' (DELIMITER ' ');
		COPY (SELECT n, near.place, id, metres FROM $answers) TO '$folder/rows' (DELIMITER ' ');});
	my $said = `"$ENV{O2O_JUDGES}/geo_brute" $folder/positions $folder/searches $folder/rows $every 2>&1`;
	like($said, qr/^\d+ positions, \d\d+ searches, [1-9]\d* of them wholly by geod_inverse, 0 wrong$/m, "$name: " . (split /\n/, $said)[-1]) or diag($said);
	return;
}

my $by_index = 'SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off';
my $by_bitmap = 'SET enable_seqscan = off; SET enable_indexscan = off';
my $by_workers = "$by_index; SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; ALTER TABLE start SET (parallel_workers = 2); SET enable_seqscan = on";

# plain indexes, and one that also gives the rows back
my %index = (spgist => 'spgist (pos)', gist => 'gist (pos)', covering => 'spgist (pos geopoint_spgist_covering_ops) INCLUDE (id)');
for my $method ('spgist', 'gist', 'covering')
{
	my $node = $method eq 'covering' ? 'Index Only Scan' : 'Index Scan';
	my $node_of_plan = qr/$node using place_$method on place/;
	ask("CREATE INDEX place_$method ON place USING $index{$method}");
	new_starts();
	judged('nearest', "$method, built: nearest", $node_of_plan, $by_index);
	judged('within', "$method, built: within", $node_of_plan, $by_index);
	judged('within', "$method, built: within by bitmap", qr/Bitmap Index Scan on place_$method/, $by_bitmap);
	judged('nearest', "$method, built: nearest by workers", qr/Gather.*$node_of_plan/s, $by_workers);
	# a query that needs the position alone: only the covering index without the table, the others would give bounds for distances
	like(ask("$by_index; EXPLAIN (COSTS off) SELECT pos FROM place ORDER BY pos <-> '1,1' LIMIT 3"), $node_of_plan, "$method: positions alone, the plan");
	is( ask("$by_index; SELECT count(*) FROM (SELECT pos FROM place ORDER BY pos <-> '1,1' LIMIT 30) t"), 30, "$method: positions alone");

	# moved, doubled, deleted, vacuumed, inserted again
	ask(q{UPDATE place SET pos = geopoint(121 + random() * 2, 31 + random()) WHERE id % 7 = 0});
	ask(q{UPDATE place SET pos = CASE id % 3 WHEN 0 THEN NULL WHEN 1 THEN '100.5,30.5'::geopoint ELSE '0,90' END WHERE id % 511 = 0});
	ask(q{DELETE FROM place WHERE id % 3 = 0});
	ask('VACUUM place');
	ask(q{INSERT INTO place SELECT (SELECT max(id) FROM place) + row_number() OVER (ORDER BY pos), pos FROM place WHERE id % 8 = 1 ORDER BY pos});
	ask(q{INSERT INTO place SELECT (SELECT max(id) FROM place) + row_number() OVER (), pos FROM place WHERE id % 9 = 1});
	new_starts();
	judged('nearest', "$method, changed: nearest", $node_of_plan, $by_index);
	judged('within', "$method, changed: within", $node_of_plan, $by_index);

	# the same circle by PostGIS, but for what lies on its edge
	is( ask(q{SELECT count(*) FROM (SELECT * FROM start ORDER BY n % 7, n LIMIT 12) s, (SELECT * FROM place WHERE id % 10 = 1) p
		WHERE geo_dwithin(p.pos, s.pos, radius) IS DISTINCT FROM ST_DWithin(p.pos::geography, s.pos::geography, radius) AND abs((p.pos <-> s.pos) - radius) > 1e-6}), 0,
		"$method: ST_DWithin says the same");
	is(ask(q{SELECT bool_and(amvalidate(oid)) FROM pg_opclass WHERE opcintype = 'geopoint'::regtype}), 't', "$method: amvalidate");
	ask("DROP INDEX place_$method");
}

# Coordinates of two decimals, many times the same: by distance, then id, whatever the rows lie like and whoever sorts.
SKIP:
{
	skip 'no real stores', 1 unless @real;
	ask(q{CREATE TABLE tied AS SELECT n AS id, pos FROM load WHERE round(geo_longitude(pos) * 1e7)::bigint % 100000 = 0 AND round(geo_latitude(pos) * 1e7)::bigint % 100000 = 0});
	cmp_ok(ask('SELECT count(*) - count(DISTINCT pos) FROM tied'), '>', 5000, 'ties');
	my $order = q{SELECT md5(string_agg(t.list, '/' ORDER BY t.n)) FROM (
		SELECT n, (SELECT string_agg(id::text, ',') FROM (SELECT id FROM tied ORDER BY tied.pos <-> s.pos, id LIMIT 40) near) AS list
		FROM (SELECT row_number() OVER (ORDER BY id) AS n, pos FROM tied WHERE id % 797 = 0) s) t};
	my $expected = ask("SET enable_indexscan = off; $order");
	for my $method ('spgist', 'gist')
	{
		for my $turn (1 .. 3)
		{
			ask("CREATE TABLE shuffled AS SELECT * FROM tied ORDER BY random(); DROP TABLE tied; ALTER TABLE shuffled RENAME TO tied; CREATE INDEX ON tied USING $method (pos)");
			is(ask("SET enable_seqscan = off; $order"), $expected, "$method, shuffled $turn: the same order of ties");
		}
	}
}

$node->stop;
done_testing();
