#!/usr/bin/perl
#
# stores.pl TARGET TRANSACTIONS
#	Target's stores (positions, opening hours, services) as the JSON
#	that location_import() takes; the account goes to standard error. The Complete Journey says which store sold a basket but not
#	where it stands: each of its store ids, in ascending order, gets the position
#	and hours of one of Target's stores, evenly spaced over that list. So the map
#	and the distances are of real stores, their sales are not. Those stores are
#	('pos', id), the rest ('target', id).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Csv qw(csv_reader account);

my ($target, $transactions) = @ARGV;
defined $transactions or die "usage: $0 TARGET TRANSACTIONS\n";

my %ZONE = (
	'Eastern Std Time' => 'America/New_York', 'Central Std Time' => 'America/Chicago',
	'Mountain Std Time' => 'America/Denver', 'Pacific Std Time' => 'America/Los_Angeles',
	'Alaska Std Time' => 'America/Anchorage', 'Hawaii-Aleutian Std Time' => 'Pacific/Honolulu',
);

my %sells;
my $next = csv_reader($transactions);
while (my $row = $next->()) { $sells{ $row->{store_id} } = 1 }

my @store;
$next = csv_reader($target);
while (my $row = $next->()) { push @store, $row }
my @ids = sort { $a <=> $b } keys %sells;
my %id_of;
$id_of{ int($_ * @store / @ids) } = $ids[$_] for 0 .. $#ids;

my (@location, $hours_given, $days_closed);
$hours_given = $days_closed = 0;
for my $i (0 .. $#store) {
	my $s = $store[$i];
	my ($source, $id) = defined $id_of{$i} ? ('pos', "$id_of{$i}") : ('target', $s->{store_id});
	my $zone = $ZONE{ $s->{tz} } or die "time zone $s->{tz}?\n";
	$zone = 'America/Phoenix' if $s->{state} eq 'AZ';                     # no daylight saving
	my %services = map { lc($_) =~ s/caf[^a-z ]+$/cafe/r =~ s/[^a-z]+/_/gr => 1 } ($s->{capabilities} // '') =~ /'([^']*)'/g;
	my @hours;
	for my $span ([[1 .. 5], 'mf'], [[6], 'sat'], [[7], 'sun']) {
		my ($days, $column) = @$span;
		my ($opens, $closes) = @$s{"${column}_begin", "${column}_thru"};
		($opens, $closes) = ('00:00', '24:00') if $column eq 'mf' && $s->{is24_mf} eq 'TRUE';
		if (!defined $opens || !defined $closes) {
			$days_closed += @$days;
			next;
		}
		push @hours, { weekday => $days, opens => $opens, closes => $closes };
		$hours_given += @$days;
	}
	push @location, {
		source => $source, source_id => $id, name => $s->{name}, services => [sort keys %services], lon => $s->{lon}, lat => $s->{lat},
		time_zone => $zone, address => $s->{street}, city => $s->{city}, region => $s->{state}, country => 'US',
		opened_on => substr($s->{open_date}, 0, 10), hours => \@hours,
	};
}
print JSON::PP->new->canonical->encode(\@location);
select STDERR;
account('stores', scalar @store, 'of them with the sales of a Complete Journey store', scalar @ids,
	'opening hours (store and weekday)', $hours_given, 'days without hours (closed)', $days_closed);
