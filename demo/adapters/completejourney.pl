#!/usr/bin/perl
#
# completejourney.pl BATCH TRANSACTIONS PRODUCTS
#	dunnhumby The Complete Journey (grocery stores, 2017) into the staging tables
#	of orders, source 'pos'. A household is known by its loyalty card: card:<id>
#	and the tills' record ref:pos/<id>. sales_value is what the retailer
#	received; the price is that plus the loyalty and matched coupon discounts,
#	which go into the line's discount. Store ids become pos/<id>; where these
#	stores stand is not in the data (see stores.pl).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Csv qw(csv_reader copy_begin copy_row copy_end account);

my ($batch, $transactions, $products) = @ARGV;
defined $products or die "usage: $0 BATCH TRANSACTIONS PRODUCTS\n";

my %product;
my $next = csv_reader($products);
while (my $row = $next->()) {
	$product{ $row->{product_id} } = [ucfirst lc($row->{product_type} // "product $row->{product_id}"), ucfirst lc($row->{department} // '')];
}

my ($lines, $sold) = (0, 0);
my (%skipped, %order);
my $orders = copy_begin('o2o.import_order', qw(batch_id source source_id ordered_at identifiers channel_sold location_sold channel_fulfilled location_fulfilled currency payment_method points_program));
my $order_lines = copy_begin('o2o.import_order_line', qw(batch_id source source_id line_no sku product_name category quantity unit_price discount));

$next = csv_reader($transactions);
while (my $row = $next->()) {
	$lines++;
	my ($basket, $quantity) = @$row{qw(basket_id quantity)};
	if ($quantity <= 0) {
		$skipped{'quantity zero (coupons and corrections)'}++;
		next;
	}
	if (!$order{$basket}++) {
		my $id = $row->{household_id};
		copy_row($orders, $batch, 'pos', $basket, "$row->{transaction_timestamp} America/New_York",
			qq({"ref":"pos/$id","card":"$id"}), 'store', "pos/$row->{store_id}", 'store', "pos/$row->{store_id}", 'USD', 'unknown', 'store_club');
	}
	# In ten-thousandths of a dollar: the price rounded up, the rest is discount.
	my $received = sprintf '%.0f', $row->{sales_value} * 10_000;
	my $gross = $received + sprintf '%.0f', ($row->{retail_disc} + $row->{coupon_match_disc}) * 10_000;
	my $price = int(($gross + $quantity - 1) / $quantity);
	my ($name, $category) = @{ $product{ $row->{product_id} } || ["Product $row->{product_id}", undef] };
	copy_row($order_lines, $batch, 'pos', $basket, $order{$basket}, "CJ-$row->{product_id}", $name, $category,
		$quantity, sprintf('%.4f', $price / 10_000), sprintf('%.4f', ($price * $quantity - $received) / 10_000));
	$sold++;
}
copy_end($orders, $order_lines);

account('lines read', $lines,
	"lines in $orders->{rows} orders", $sold,
	map { ("lines left out: $_", $skipped{$_}) } sort keys %skipped);
