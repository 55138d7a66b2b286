#!/usr/bin/perl
#
# onlineretail.pl BATCH FILE
#	UCI Online Retail (a British web shop, 2010-12 to 2011-12) into the staging
#	tables of orders and returns, source 'web'. A C… invoice is a return; a
#	CustomerID is ref:web/<id>; a basket without one is of nobody ({}). Every
#	line that is no sale and no return is counted with the reason.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Csv qw(csv_reader copy_begin copy_row copy_end account);

my ($batch, $path) = @ARGV;
defined $path or die "usage: $0 BATCH FILE\n";

my %FEE = map { $_ => 1 } ('AMAZONFEE', 'BANK CHARGES', 'CRUK', 'S');
my ($lines, $sold, $given_back, $nobody) = (0) x 4;
my (%skipped, %order, %return);

my $orders = copy_begin('o2o.import_order', qw(batch_id source source_id ordered_at identifiers channel_sold channel_fulfilled currency payment_method points_program));
my $order_lines = copy_begin('o2o.import_order_line', qw(batch_id source source_id line_no sku product_name category quantity unit_price));
my $returns = copy_begin('o2o.import_return', qw(batch_id source source_id returned_at identifiers channel_returned currency total));

my $next = csv_reader($path);
while (my $row = $next->()) {
	$lines++;
	my ($invoice, $quantity, $price) = @$row{qw(InvoiceNo Quantity UnitPrice)};
	my $reason =
		$invoice =~ /^A/ ? 'bad debt adjusted (A… invoices)'
		: $FEE{ $row->{StockCode} } ? 'fees, donations and samples, not goods'
		: $invoice !~ /^C/ && $quantity < 0 ? 'stock written off (quantity below zero, no return)'
		: $price == 0 ? 'price zero (stock corrections, free items)'
		: $price < 0 || ($invoice =~ /^C/) != ($quantity < 0) ? 'sign of price or quantity makes no sense'
		: undef;
	if ($reason) {
		$skipped{$reason}++;
		next;
	}
	my $who = defined $row->{CustomerID} ? qq({"ref":"web/$row->{CustomerID}"}) : '{}';
	my $at = "$row->{InvoiceDate} Europe/London";
	if ($invoice =~ /^C/) {
		my $r = $return{$invoice} ||= { at => $at, who => $who, total => 0 };
		$r->{total} -= $quantity * $price;
		$given_back++;
		next;
	}
	if (!$order{$invoice}++) {
		copy_row($orders, $batch, 'web', $invoice, $at, $who, 'web', 'web', 'GBP', 'unknown', $who eq '{}' ? undef : 'web_club');
		$nobody++ if $who eq '{}';
	}
	copy_row($order_lines, $batch, 'web', $invoice, $order{$invoice}, "OR-$row->{StockCode}", $row->{Description} // $row->{StockCode},
		undef, $quantity, $price);
	$sold++;
}
for my $invoice (sort keys %return) {
	my $r = $return{$invoice};
	copy_row($returns, $batch, 'web', $invoice, $r->{at}, $r->{who}, 'web', 'GBP', sprintf('%.2f', $r->{total}));
}
copy_end($orders, $order_lines, $returns);

account('lines read', $lines,
	"lines in $orders->{rows} orders ($nobody of nobody known)", $sold,
	"lines in $returns->{rows} returns", $given_back,
	map { ("lines left out: $_", $skipped{$_}) } sort keys %skipped);
my $counted = $sold + $given_back;
$counted += $_ for values %skipped;
die "lines unaccounted for: $lines read, $counted counted\n" if $counted != $lines;
