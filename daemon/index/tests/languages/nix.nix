# A package.
{ pkgs ? import <nixpkgs> { }, lib, stdenv, ... }@args:

let
  # Its version.
  version = "1.0";
  add = a: b: a + b;
  inherit (lib) optional mkIf;
  helper = { name, count ? 1 }: "${name}-${toString count}";
in
stdenv.mkDerivation rec {
  pname = "shape";
  inherit version;
  src = ./src;
  buildInputs = with pkgs; [ openssl zlib ] ++ optional stdenv.isDarwin pkgs.libiconv;
  meta.description = "text ${pname}";
  passthru = {
    tests = import ./tests.nix { inherit pkgs; };
    run = x: helper { name = x; };
  };
  value = if version == "1.0" then add 1 2 else builtins.throw "no";
  check = assert args ? lib; map (x: x.name or null) [ ];
}
