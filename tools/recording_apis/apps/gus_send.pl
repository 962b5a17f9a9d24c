# Sends what it is told on standard input, a JSON object a line, with HTTP::Tiny; answers a JSON object a line.
use strict; use warnings;
use HTTP::Tiny; use JSON::PP; use MIME::Base64;
$| = 1;
my $port = shift;
my $http = HTTP::Tiny->new(max_redirect => 0, timeout => 10, keep_alive => 1);
while (my $line = <STDIN>) {
  my $asked = decode_json($line);
  my ($host, $rest) = $asked->{url} =~ m{^http://([^/]+)(/.*)$};
  my %options = (headers => { %{ $asked->{headers} } });
  $options{headers}{Host} = $host if 0;
  $options{content} = decode_base64($asked->{body}) if defined $asked->{body};
  $options{peer} = '127.0.0.1';
  my $got = $http->request($asked->{method}, "http://$host:$port$rest", \%options);
  my @fields;
  for my $name (keys %{ $got->{headers} }) {
    my $value = $got->{headers}{$name};
    push @fields, [$name, ref $value ? join(', ', @$value) : $value];
  }
  my $status = $got->{status} == 599 ? 0 : $got->{status} + 0;
  print encode_json({ status => $status, fields => \@fields, body => encode_base64($got->{content} // '', '') }), "\n";
}
