#!/usr/bin/perl
# Policies of an insurer over SOAP; the version goes along in each change.
use strict;
use warnings;
use IO::Socket::INET;

my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 16, ReuseAddr => 1)
    or die "cannot listen: $!";
my %policies = map { $_ => { numero => $_, tomador => "Tomador $_", capital => 150000, franquia => 250, versao => 17, por => 'migracao' } }
    qw(A-551 A-552 A-560);

sub envelope {
    my ($inner) = @_;
    return qq{<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">}
        . qq{<soapenv:Body>$inner</soapenv:Body></soapenv:Envelope>};
}

sub shown {
    my ($policy) = @_;
    return join '', map { "<$_>$policy->{$_}</$_>" } qw(numero tomador capital franquia versao por);
}

sub value {
    my ($name, $text) = @_;
    return $text =~ m{<$name>([^<]*)</$name>} ? $1 : '';
}

sub answer {
    my ($method, $path, $fields, $body) = @_;
    return (200, envelope('<estado>activo</estado>')) if $method eq 'GET';
    my $policy = $policies{ value('numero', $body) };
    return (500, envelope('<soapenv:Fault><faultcode>soapenv:Client</faultcode><faultstring>Apolice desconhecida</faultstring></soapenv:Fault>'))
        unless $policy;
    return (200, envelope('<obterResposta>' . shown($policy) . '</obterResposta>')) if $fields->{soapaction} =~ /obter/;
    if (value('versao', $body) ne $policy->{versao}) {
        my $detail = "<detail><conflito><versaoActual>$policy->{versao}</versaoActual><utilizador>$policy->{por}</utilizador></conflito></detail>";
        return (500, envelope("<soapenv:Fault><faultcode>soapenv:Server.Concorrencia</faultcode>"
            . "<faultstring>A ap\x{c3}\x{b3}lice foi alterada por outro utilizador</faultstring>$detail</soapenv:Fault>"));
    }
    for my $name (qw(capital franquia)) {
        my $new = value($name, $body);
        $policy->{$name} = $new if $new ne '';
    }
    $policy->{por} = value('utilizador', $body);
    $policy->{versao}++;
    return (200, envelope('<alterarResposta>' . shown($policy) . '</alterarResposta>'));
}

while (my $client = $socket->accept) {
    my $line = <$client>;
    if (!defined $line) { close $client; next; }
    my ($method, $path) = split ' ', $line;
    my %fields = (soapaction => '');
    while (defined(my $field = <$client>)) {
        $field =~ s/\r?\n//;
        last if $field eq '';
        my ($name, $rest) = split /:\s*/, $field, 2;
        $fields{ lc $name } = $rest;
    }
    my $body = '';
    read $client, $body, $fields{'content-length'} if $fields{'content-length'};
    my ($status, $content) = answer($method, $path, \%fields, $body);
    my $length = length $content;
    my $reason = $status == 200 ? 'OK' : 'Internal Server Error';
    print $client "HTTP/1.1 $status $reason\r\nContent-Type: text/xml; charset=UTF-8\r\nContent-Length: $length\r\nConnection: close\r\n\r\n$content";
    close $client;
}
