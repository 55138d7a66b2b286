# Reading CSV (plain or .gz) line by line, and writing it into a table through
# a psql of its own, so that one pass over a file fills several tables and no
# copy of it is ever made. What the columns mean lives in the adapters.
package Csv;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(csv_reader copy_begin copy_row copy_end account);

# A function that returns the next row as {column => value}, undef at the end.
# Empty and NA are undef. Blanks around values go (FEBRL separates by ", ").
sub csv_reader
{
	my ($path) = @_;
	my @open = $path =~ /\.gz$/ ? ('-|', 'gzip', '-dc', $path) : ('<', $path);
	open my $fh, $open[0], @open[1 .. $#open] or die "$path: $!\n";
	my $names = fields($fh) or die "$path: empty\n";
	s/^\s+|\s+$//g for @$names;
	return sub {
		my $values = fields($fh);
		if (!$values) {
			close $fh or die "$path: could not be read to its end\n";
			return;
		}
		my %row;
		for my $i (0 .. $#$names) {
			my $value = $values->[$i] // '';
			$value =~ s/^\s+|\s+$//g;
			$row{ $names->[$i] } = $value eq '' || $value eq 'NA' ? undef : $value;
		}
		return \%row;
	};
}

# The fields of the next record; a quoted one may hold commas and line ends.
sub fields
{
	my ($fh) = @_;
	my $line = readline $fh;
	return unless defined $line;
	while (($line =~ tr/"//) % 2 && defined(my $more = readline $fh)) { $line .= $more }
	$line =~ s/\r?\n\z//;
	return [split /,/, $line, -1] unless $line =~ /"/;
	my @field;
	while ($line =~ /\G(?:"((?:[^"]|"")*)"|([^,]*))(,|\z)/g) {
		my ($quoted, $plain, $end) = ($1, $2, $3);
		push @field, defined $quoted ? $quoted =~ s/""/"/gr : $plain;
		last if $end eq '';
	}
	return \@field;
}

# A psql that copies into TABLE (columns); database and server come from the
# environment (PGDATABASE, PGHOST, PGUSER).
sub copy_begin
{
	my ($table, @columns) = @_;
	my $list = join ', ', @columns;
	open my $fh, '|-', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c',
		"COPY $table ($list) FROM STDIN (FORMAT csv)" or die "psql: $!\n";
	return { fh => $fh, table => $table, rows => 0 };
}

sub copy_row
{
	my $copy = shift;
	$copy->{rows}++;
	print { $copy->{fh} } join(',', map {
		!defined $_ ? '' : /[",\n\r]/ || $_ eq '' ? '"' . s/"/""/gr . '"' : $_
	} @_), "\n";
}

sub copy_end
{
	for my $copy (@_) {
		close $copy->{fh} or die "copying into $copy->{table} failed\n";
	}
}

# What became of the rows of a file, for demo/run to print: lines of
# "number<tab>text" on standard output.
sub account
{
	while (my ($text, $count) = splice @_, 0, 2) { print "$count\t$text\n" }
}

1;
