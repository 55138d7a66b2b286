# Positions, circles and boxes by COPY BINARY: random bytes of every length are
# refused or become a value that comes back as it went in; the server lives. And
# all of it with PostGIS in a schema of another name, out of everybody's path.
use strict;
use warnings;
use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $rounds = is_long() ? 20_000 : 600;
my $seed = seed();
srand($seed);
my $folder = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('store_fuzz');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "fsync = off\nlog_min_error_statement = panic\nlog_min_messages = fatal");
$node->start;
$node->safe_psql('postgres', q{
	CREATE SCHEMA "other maps";
	CREATE EXTENSION postgis SCHEMA "other maps";
	CREATE EXTENSION "O2O" CASCADE;
	CREATE ROLE shop_owner LOGIN;
	GRANT USAGE, CREATE ON SCHEMA o2o TO shop_owner;
	SET ROLE shop_owner;
	CALL o2o.setup();});

# A file of COPY BINARY with one row of one value of these bytes.
sub copy_file
{
	my ($bytes) = @_;
	return "PGCOPY\n\xff\r\n\0" . pack('N N n N', 0, 0, 1, length $bytes) . $bytes . pack('n', 0xffff);
}

my %length = (geopoint => 8, geocircle => 16, geobox => 16);
my $script = '';
for my $n (1 .. $rounds)
{
	for my $type (sort keys %length)
	{
		my $size = rand() < 0.8 ? $length{$type} : int rand 30;
		my $bytes = rand() < 0.3
		  ? join '', map { chr int rand 256 } 1 .. $size
		  : substr(join('', map { pack 'N', int(rand(3_800_000_000)) - 1_900_000_000 & 0xffffffff } 1 .. 8), 0, $size);
		# within the range of latitude, and a radius that is a number, now and then
		$bytes = pack('l> l>', int(rand 3_600_000_000) - 1_800_000_000, int(rand 1_800_000_000) - 900_000_000) . substr($bytes, 8) if length $bytes >= 8 && rand() < 0.5;
		substr($bytes, 8, 8) = pack('d>', exp(rand(60) - 30)) if $type eq 'geocircle' && length $bytes == 16 && rand() < 0.5;
		append_to_file("$folder/$type.$n", copy_file($bytes));
	}
}
$node->safe_psql('postgres', 'CREATE TABLE read (type text, answer text)');
for my $type (sort keys %length)
{
	$node->safe_psql('postgres', qq{
		CREATE TABLE value (v o2o.$type);
		DO \$\$
		BEGIN
			FOR n IN 1 .. $rounds LOOP
				BEGIN
					EXECUTE format('COPY value FROM %L (FORMAT binary)', '$folder/$type.' || n);
					INSERT INTO read VALUES ('$type', 'value');
				EXCEPTION WHEN OTHERS THEN
					INSERT INTO read VALUES ('$type', SQLSTATE);
				END;
			END LOOP;
		END \$\$;});
	my $answers = $node->safe_psql('postgres', "SELECT answer, count(*) FROM read WHERE type = '$type' GROUP BY 1 ORDER BY 1");
	note("$type: " . $answers =~ s/\n/, /gr);
	like($answers, qr/^value\|/m, "$type: some bytes are values");
	is( $node->safe_psql('postgres', "SELECT count(*) FROM read WHERE type = '$type' AND answer NOT IN ('value', '22003', '22023', '22P03', '08P01')"), 0,
		"$type: the others are refused as they should be");
	$node->safe_psql('postgres', "COPY value TO '$folder/$type.all' (FORMAT binary); CREATE TABLE again (v o2o.$type); COPY again FROM '$folder/$type.all' (FORMAT binary)");
	is( $node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT v::text FROM value EXCEPT ALL SELECT v::text FROM again) t'), 0, "$type: and come back");
	is( $node->safe_psql('postgres', "SELECT count(*) FROM value WHERE v::text IS DISTINCT FROM v::text::o2o.$type\::text"), 0, "$type: by text too");
	$node->safe_psql('postgres', 'DROP TABLE value, again');
}

# PostGIS elsewhere: casts, polygons, searches, by a role that knows nothing of its schema.
is( $node->safe_psql('postgres', q{
	SET ROLE shop_owner; SET search_path = o2o;
	SELECT count(*) FROM location_import('[{"source": "pos", "source_id": "1", "name": "Bund", "lon": 121.49, "lat": 31.24}, {"source": "pos", "source_id": "2", "name": "Pudong", "lon": 121.52, "lat": 31.23}]');
	SELECT string_agg(name, ' ') FROM stores_nearest('121.5,31.24', 2);
	SELECT geo_covers(geo_polygon('{"type": "Polygon", "coordinates": [[[121, 31], [122, 31], [122, 32], [121, 31]]]}'), '121.6,31.3');}),
	"1\nBund Pudong\nt", 'PostGIS in another schema: places, searches, polygons');
is( $node->safe_psql('postgres', q{
	SET search_path = o2o;
	SELECT "other maps".ST_AsText('121.5,31.25'::geopoint::"other maps".geometry), '121.5,31.25'::geopoint::"other maps".geography::geopoint;
	SELECT "other maps".ST_SRID(wgs84_to_gcj02('SRID=4326;POINT(121.5 31.25)'::"other maps".geometry))}),
	"POINT(121.5 31.25)|121.5,31.25\n4326", 'and casts and datums');

$node->stop;
done_testing();
