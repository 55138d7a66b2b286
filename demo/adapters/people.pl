#!/usr/bin/perl
#
# people.pl BATCH NAME FILE
#	Labelled people into the staging table of identity events and into demo.truth
#	(source, source_id, person). NAME is the source and says which file it is:
#	febrl3 (dataset3.csv; social security number) or fake1000 (fake_1000.csv;
#	e-mail). Only what a system would take as an identifier is given as one; name,
#	birthday and address are traits, which link nobody. (historical_50k_tune.csv
#	and the other labelled sets hold nothing that a system would issue: they wait
#	for probabilistic matching.)

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Csv qw(csv_reader copy_begin copy_row copy_end account);

my ($batch, $name, $path) = @ARGV;
my %FORMAT = (
	febrl3 => {
		id => 'rec_id', person => sub { $_[0]{rec_id} =~ /^rec-(\d+)-/ ? $1 : die "record $_[0]{rec_id}?\n" },
		kind => 'soc_sec_id', column => 'soc_sec_id', traits => [qw(given_name surname date_of_birth suburb postcode state)],
	},
	fake1000 => {
		id => 'unique_id', person => sub { $_[0]{cluster} },
		kind => 'email', column => 'email', traits => [qw(first_name surname dob city)],
	},
);
my $format = defined $path && $FORMAT{$name} or die "usage: $0 BATCH febrl3|fake1000 FILE\n";

sub json
{
	my @pair;
	while (my ($key, $value) = splice @_, 0, 2) {
		push @pair, sprintf '"%s":"%s"', $key, $value =~ s/(["\\])/\\$1/gr if defined $value;
	}
	return '{' . join(',', @pair) . '}';
}

my $events = copy_begin('o2o.import_identity', qw(batch_id source event_id occurred_at identifiers traits));
my $truth = copy_begin('demo.truth', qw(source source_id person));
my ($lines, $without) = (0, 0);
my $next = csv_reader($path);
while (my $row = $next->()) {
	$lines++;
	my $id = $row->{ $format->{id} };
	$without++ unless defined $row->{ $format->{column} };
	copy_row($events, $batch, $name, $id, '2020-01-01 00:00:00+00',
		json(ref => "$name/$id", $format->{kind} => $row->{ $format->{column} }), json(map { $_ => $row->{$_} } @{ $format->{traits} }));
	copy_row($truth, $name, $id, $format->{person}->($row));
}
copy_end($events, $truth);
account('records read', $lines, "of them without $format->{kind}", $without);
