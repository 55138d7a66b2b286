# What README.md says is so: its SQL blocks run from top to bottom on a new
# server, and each "text" block is what psql prints for the "sql" block before it.
# The word after "sql" is the role; without one, shop_owner. With README_WRITE
# set, prints the file with the true outputs instead.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $readme = slurp_file('README.md');
my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE shop');

# One session as long as the role stays the same, as a reader has it.
my (@blocks, $script, $role);
$script = "\\set SHOW_CONTEXT never\n";
$role = '';
while ($readme =~ /^```sql ?(\w*)\n(.*?)^```\n(?:```text\n(.*?)^```\n)?/msg)
{
	my ($as, $sql, $said) = ($1 || 'shop_owner', $2, $3);
	$as = getpwuid($<) if $as eq 'superuser';
	$script .= "\\c shop $as\n" if $as ne $role;
	$role = $as;
	push @blocks, { sql => $sql, said => $said, shown => defined $said };
	$script .= "\\echo \@\@" . @blocks . "\n$sql";
}
cmp_ok(scalar @blocks, '>', 20, 'README.md has its SQL blocks');

my ($output, %told);
{
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	IPC::Run::run [ 'psql', '-X', '-q', '-d', $node->connstr('postgres') ], '<', \$script, '>', \$output, '2>&1';
}
$output =~ s/[ \t]+$//mg;
my (undef, @parts) = split /^\@\@(\d+)\n/m, $output;
%told = @parts;

if ($ENV{README_WRITE})
{
	my $n = 0;
	$readme =~ s/(^```sql ?\w*\n.*?^```\n)(```text\n.*?^```\n)?/
		$n++; $1 . (defined $2 ? "```text\n" . clean($told{$n}) . "```\n" : '')/msge;
	append_to_file($ENV{README_WRITE}, $readme);
}

my $n = 0;
foreach my $block (@blocks)
{
	$n++;
	my ($name) = $block->{sql} =~ /^([^\n]{0,60})/;
	my $got = clean($told{$n});
	if ($block->{shown}) { is($got, $block->{said}, "$n: $name"); }
	else { unlike($got, qr/ERROR/, "$n: $name"); }
}
done_testing();

# What psql prints, without the empty line after each result.
sub clean
{
	my ($text) = @_;
	return "(not reached)\n" unless defined $text;
	$text =~ s/\n+\z/\n/;
	$text =~ s/\n\n+/\n\n/g;
	return $text;
}
