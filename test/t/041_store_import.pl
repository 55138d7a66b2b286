# The loaders of places on files of real stores, as their owners publish them:
# CSV of four chains, the same as GeoJSON, and what is wrong with a line. The
# files are read from O2O_DATA (default ../shared/data).
use strict;
use warnings;
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = ($ENV{O2O_DATA} // '../shared/data') . '/stores';
plan skip_all => "no $folder" unless -r "$folder/us_target_stores.csv";

# A file as UTF-8, unpacked.
sub content
{
	my ($name, $encoding) = @_;
	my $text = slurp_file("$folder/$name");
	if ($name =~ /\.gz$/) { my $packed = $text; gunzip(\$packed, \$text) or die "$name: cannot unpack"; }
	if ($encoding) { require Encode; Encode::from_to($text, $encoding, 'UTF-8'); }
	return $text;
}

my $node = PostgreSQL::Test::Cluster->new('store_import');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;
$node->safe_psql('postgres', q{
	SET client_min_messages = warning;
	CREATE EXTENSION "O2O" CASCADE;
	CREATE ROLE shop_owner;
	GRANT USAGE, CREATE ON SCHEMA o2o TO shop_owner;
	CALL o2o.setup(owner => 'shop_owner');
	SELECT o2o.source_register(s, s) FROM unnest('{target,ikea,sg,starbucks}'::text[]) s;});

# Runs a statement on the content of a file, which is the variable content.
my $file = PostgreSQL::Test::Utils::tempdir() . '/statement.sql';
sub ask
{
	my ($content, $statement) = @_;
	open my $out, '>:raw', $file or die "$file: $!";
	print $out "SET search_path = public, o2o;\nCREATE TEMP TABLE given (content text);\nCOPY given FROM stdin WITH (FORMAT csv);\n\"" . $content =~ s/"/""/gr . "\"\n\\.\n$statement;\n";
	close $out;
	my ($stdout, $stderr);
	my $status = $node->psql('postgres', undef, stdout => \$stdout, stderr => \$stderr, extra_params => [ '-f', $file ]);
	return $stderr ? $stderr : $stdout;
}

# Hours of weekdays and of both days of the weekend stand in columns of their own; words in brackets become a list.
my $target = content('us_target_stores.csv', 'latin1');
is(ask($target, q{SELECT location_import_csv(content, 'target', '{"source_id": "{store_id}", "address": "{street}", "region": "{state}", "country": "US", "time_zone": "America/Chicago",
	"hours": "Mo-Fr {mf_begin}-{mf_thru}; Sa {sat_begin}-{sat_thru}; Su {sun_begin}-{sun_thru}", "opened_on": "{open_date}"}') FROM given}), '1829', 'Target');
is($node->safe_psql('postgres', q{SELECT count(*), count(position), count(opened_on), count(*) FILTER (WHERE region = 'AL'), (SELECT count(*) FROM o2o.location_hours) FROM o2o.location WHERE source = 'target'}),
	join('|', target_counts($target)), 'places, positions and hours as in the file');
is($node->safe_psql('postgres', q{SELECT name, position, city, opened_on, (SELECT string_agg(weekday || ' ' || opens || '-' || closes, ', ' ORDER BY weekday) FROM o2o.location_hours h WHERE h.location_id = l.location_id AND weekday > 4)
	FROM o2o.location l WHERE source = 'target' AND source_id = '2153'}), 'Oxford|-85.783182,33.608825|Oxford|2006-07-19|5 08:00:00-22:00:00, 6 08:00:00-23:00:00, 7 08:00:00-22:00:00', 'one of them');

# Counted in the file by another reader of CSV.
sub target_counts
{
	my ($text) = @_;
	my (@lines) = split /\r?\n/, $text;
	my @names = fields(shift @lines);
	my ($places, $opened, $alabama, $intervals) = (0, 0, 0, 0);
	for my $line (@lines)
	{
		my %row;
		@row{@names} = fields($line);
		$places++;
		$opened++ if $row{open_date} ne '';
		$alabama++ if $row{state} eq 'AL';
		$intervals += 5 if $row{mf_begin} ne '';
		$intervals++ for grep { $row{"${_}_begin"} ne '' } qw(sat sun);
	}
	return ($places, $places, $opened, $alabama, $intervals);
}

sub fields
{
	my ($line) = @_;
	my @found;
	push @found, defined $1 ? $1 =~ s/""/"/gr : $2 while $line =~ /\G(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g && @found < 22;
	return @found;
}

# Names that stand twice: the number of the line is the key.
my $ikea = content('ikea_stores_2020.csv');
is(ask($ikea, q{SELECT location_import_csv(content, 'ikea', '{"source_id": "{country} {name} {latitude}", "lon": "{longitude}", "lat": "{latitude}"}') FROM given}), '207', 'IKEA');
is(ask(content('sg_supermarkets.csv'), q{SELECT location_import_csv(content, 'sg', '{"source_id": "{licence_no}", "name": "{licensee}", "country": "SG", "time_zone": "Asia/Singapore"}') FROM given}), '526', 'supermarkets of Singapore');
# What needs more than texts side by side: rearranged from csv_rows(). Time zones are 'GMT+1:00 Europe/Andorra', some cut off: named.
my $starbucks = content('starbucks_directory_2017.csv.gz');
my $rows = q{SELECT location_import(jsonb_agg(jsonb_build_object('row', 'line ' || line, 'source', 'starbucks', 'source_id', fields[2] || '/' || line, 'name', coalesce(fields[3], '-'),
	'lon', fields[12], 'lat', fields[13], 'time_zone', %s))) FROM given CROSS JOIN csv_rows(content) LEFT JOIN pg_timezone_names z ON z.name = split_part(fields[11], ' ', 2) WHERE line > 1 AND line <= 3001};
like(ask($starbucks, sprintf($rows, q{split_part(fields[11], ' ', 2)})), qr/line \d+ \(starbucks\/\S+\): unknown time zone "America\/Argentina\/Bu"/, 'Starbucks: time zones that were cut off');
is(ask($starbucks, sprintf($rows, 'z.name')), '3000', 'Starbucks');

# The same places as GeoJSON.
my @features = map { { type => 'Feature', geometry => { type => 'Point', coordinates => [ $_->[4] + 0, $_->[3] + 0 ] }, properties => { nr => "$_->[0] $_->[1] $_->[3]", name => $_->[1], country => $_->[0] } } }
	map { [ split /\|/, $_ ] } split /\n/, ask($ikea, q{\t on
SELECT fields[1], fields[2], '', fields[4], fields[5] FROM given, csv_rows(content) WHERE line > 1});
is(ask(JSON::PP->new->encode({ type => 'FeatureCollection', features => \@features }), q{SELECT location_import_geojson(content::jsonb, 'ikea', '{"source_id": "{nr}"}') FROM given}), '207', 'IKEA as GeoJSON');
is($node->safe_psql('postgres', q{SELECT count(*), count(position) FROM o2o.location WHERE source = 'ikea'}), '207|207', 'in the same rows');

# A line is broken in the middle of the file: named, and nothing changes.
my $broken = $target =~ s/^1499,Opelika,.*?AL,36801-1511,-85.410636,32.618108/1499,Opelika,x,y,z,AL,1,-85.410636,132.618108/mr;
isnt($broken, $target, 'a line is changed');
like(ask($broken, q{SELECT location_import_csv(content, 'target', '{"source_id": "{store_id}", "name": "changed"}') FROM given}),
	qr/line 3 \(target\/1499\): lat: latitude must be between -90 and 90 degrees/, 'its number is told');
is($node->safe_psql('postgres', q{SELECT count(*) FROM o2o.location WHERE name = 'changed'}), 0, 'and nothing was imported');

# Real stores, real trade areas: the area a store's own position lies in is its own, and no place has two.
is($node->safe_psql('postgres', q{
	SET search_path = public, o2o;
	CREATE TEMP TABLE area AS SELECT t.* FROM (SELECT array_agg(location_id) AS ids, array_agg(position) AS positions FROM o2o.location WHERE source = 'target') s, trade_areas(s.ids, s.positions) t;
	CREATE INDEX ON area USING gist (area);
	SELECT (SELECT count(*) FROM area), (SELECT bool_and(ST_IsValid(area)) FROM area),
		(SELECT count(*) FROM o2o.location l WHERE source = 'target' AND (SELECT array_agg(a.store_id) FROM area a WHERE geo_covers(a.area, l.position)) IS DISTINCT FROM ARRAY[l.location_id]
			AND NOT EXISTS (SELECT FROM o2o.location t WHERE t.source = 'target' AND t.position = l.position AND t.location_id <> l.location_id))}) =~ s/\A.*\n(?=\d)//sr,
	(join '|', $node->safe_psql('postgres', q{SELECT count(DISTINCT position) FROM o2o.location WHERE source = 'target'}), 't', 0), 'trade areas of Target');

$node->stop;
done_testing();
