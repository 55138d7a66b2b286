# store_is_open on the hours of real stores over both changes of the clock, past
# midnight and on a holiday, against a reckoning in local time by the rules of
# US law alone: every sixth store, or all with --long. The file of stores is read
# from O2O_DATA (default ../shared/data).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::Local qw(timegm);

my $file = ($ENV{O2O_DATA} // '../shared/data') . '/stores/us_target_stores.csv';
plan skip_all => "no $file" unless -r $file;

# Fields of a line of CSV, quotes doubled within quotes.
sub fields
{
	my ($line) = @_;
	my @found;
	push @found, defined $1 ? $1 =~ s/""/"/gr : $2
	  while $line =~ /\G(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g && @found < 22;
	return @found;
}

# 'H:MM:SS' in minutes; no time in the file means closed.
sub minutes
{
	my ($time) = @_;
	return $time =~ /^(\d+):(\d+):\d+$/ ? $1 * 60 + $2 : undef;
}

my %zone = ('-5' => 'America/New_York', '-6' => 'America/Chicago', '-7' => 'America/Denver',
	'-8' => 'America/Los_Angeles', '-9' => 'America/Anchorage', '-10' => 'Pacific/Honolulu');
open my $in, '<:encoding(latin1)', $file or die "$file: $!";
my @names = fields(scalar(<$in>) =~ s/\r?\n//r);
my @stores;
while (my $line = <$in>)
{
	$line =~ s/\r?\n//;
	my %row;
	@row{@names} = fields($line);
	my $arizona = $row{state} eq 'AZ';
	push @stores, { id => $row{store_id}, offset => $row{utc_offset},
		summer => !$arizona && $row{utc_offset} != -10,
		zone => $arizona ? 'America/Phoenix' : $zone{ $row{utc_offset} },
		# Sunday is day 0
		hours => [ map { [ minutes($row{"${_}_begin"}), minutes($row{"${_}_thru"}) ] } 'sun', ('mf') x 5, 'sat' ] };
}
close $in;
cmp_ok(scalar @stores, '>', 1800, 'stores with hours');
# Real hours end at midnight at the latest: every seventh store goes on to 2:00 in the nights to Sunday, in which the clocks change.
$stores[$_]{hours}[6][1] = 120 for grep { $_ % 7 == 0 && defined $stores[$_]{hours}[6][0] } 0 .. $#stores;
@stores = @stores[ grep { $_ % 6 == 0 } 0 .. $#stores ] unless $ENV{O2O_LONG};

# Seconds of UTC at which summer time begins and ends in a year: 2:00 local time
# on the second Sunday of March and the first of November.
sub change
{
	my ($year, $month, $sunday, $offset) = @_;
	my $first = timegm(0, 0, 0, 1, $month, $year);
	my $day = 1 + (7 - (gmtime $first)[6]) % 7 + 7 * ($sunday - 1);
	return timegm(0, 0, 2, $day, $month, $year) - $offset * 3600;
}

my %holiday = (timegm(0, 0, 0, 25, 11, 2026) => 1);

# Whether a store is open, in local days and minutes.
sub is_open
{
	my ($store, $at) = @_;
	my $offset = $store->{offset};
	if ($store->{summer})
	{
		my $year = 1900 + (gmtime $at)[5];
		$offset++ if $at >= change($year, 2, 2, $offset) && $at < change($year, 10, 1, $offset + 1);
	}
	my $local = $at + $offset * 3600;
	for my $back (0, 1)
	{
		my $day = int($local / 86400) * 86400 - $back * 86400;
		next if $holiday{$day};
		my ($begin, $thru) = @{ $store->{hours}[ (gmtime $day)[6] ] };
		next unless defined $begin && defined $thru;
		my $minute = ($local - $day) / 60;
		$thru += 1440 if $thru <= $begin;
		return 1 if $minute >= $begin && $minute < $thru;
	}
	return 0;
}

# Every 30 minutes, and a second before, over two days around each change,
# New Year and Christmas.
my @moments;
for my $middle (timegm(0, 0, 12, 8, 2, 2026), timegm(0, 0, 12, 1, 10, 2026), timegm(0, 0, 0, 26, 11, 2026), timegm(0, 0, 8, 1, 0, 2027))
{
	push @moments, map { ($middle + $_ * 1800, $middle + $_ * 1800 - 1) } -48 .. 48;
}

my $node = PostgreSQL::Test::Cluster->new('store_hours');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "timezone = 'Pacific/Chatham'");
$node->start;
$node->safe_psql('postgres', q{
	SET client_min_messages = warning;
	CREATE EXTENSION "O2O" CASCADE;
	CREATE ROLE shop_owner;
	GRANT USAGE, CREATE ON SCHEMA o2o TO shop_owner;
	CALL o2o.setup(owner => 'shop_owner');});

sub hours_json
{
	my ($store) = @_;
	my @rows;
	for my $weekday (0 .. 6)
	{
		my ($begin, $thru) = @{ $store->{hours}[$weekday] };
		next unless defined $begin && defined $thru;
		push @rows, sprintf '{"weekday": %d, "opens": "%02d:%02d", "closes": "%02d:%02d"}',
		  $weekday || 7, int($begin / 60), $begin % 60, int($thru / 60), $thru % 60;
	}
	return join ', ', @rows;
}
my $json = join ",\n", map {
	sprintf '{"source": "pos", "source_id": "%s", "name": "%s", "time_zone": "%s", "hours": [%s], "exceptions": [{"day": "2026-12-25"}]}',
	  $_->{id}, $_->{id}, $_->{zone}, hours_json($_)
} @stores;
is($node->safe_psql('postgres', "SELECT o2o.location_import('[$json]')"), scalar @stores, 'all are registered');

# One line a moment: the stores that are open, by their number.
my $answer = $node->safe_psql('postgres', sprintf q{
	SELECT m.at, coalesce((SELECT string_agg(l.source_id, ' ' ORDER BY l.source_id COLLATE "C") FROM o2o.location l WHERE o2o.store_is_open(l.location_id, to_timestamp(m.at))), '')
	FROM unnest(ARRAY[%s]::bigint[]) WITH ORDINALITY m (at, n) ORDER BY m.n}, join ',', @moments);
my ($asked, $open, $wrong) = (0, 0, 0);
for my $line (split /\n/, $answer)
{
	my ($at, $list) = split /\|/, $line, 2;
	my %said = map { $_ => 1 } split / /, $list;
	for my $store (@stores)
	{
		my $expected = is_open($store, $at);
		$asked++;
		$open += $expected;
		next if $expected == ($said{ $store->{id} } // 0);
		diag("store $store->{id} ($store->{zone}) at " . gmtime($at) . ": expected $expected") if $wrong++ < 5;
	}
}
is($asked, @moments * @stores, "$asked answers, $open of them open");
is($wrong, 0, 'store_is_open as the local clock says');

# The next opening is open, and the second before it is not.
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM (
		SELECT l.location_id, m.at, o2o.store_next_opening(l.location_id, m.at) AS next
		FROM o2o.location l, unnest('{2026-03-08 09:30Z,2026-11-01 08:30Z,2026-12-25 07:00Z}'::timestamptz[]) m (at)
		WHERE l.location_id % 7 = 0) t
	WHERE next IS NULL OR NOT o2o.store_is_open(location_id, next)
		OR (next > at AND o2o.store_is_open(location_id, next - interval '1 second'))}), 0, 'store_next_opening agrees');

$node->stop;
done_testing();
