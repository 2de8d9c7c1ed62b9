# Sourced: apt itself, to be compared with, and archives of our own for it.
#
#   apt_would FOLDER PACKAGE...   what the apt in that root would do: lines `NAME VERSION`, sorted
#   locked_debs [LOCK]            the same of a lock
#   debian_sources RELEASE        the sources that Slipway asks for a release of Debian
#   make_deb FOLDER NAME VERSION [FIELD...]   a package of the files in FOLDER, into $pool
#   release_archive FOLDER SUITE KEY [FIELD...]   signs what is in FOLDER/pool as `main` of that suite;
#                                 its component `none` is empty
#   flat_archive FOLDER KEY       signs FOLDER's packages without suites
#   serve FOLDER                  sets $address, and $served to the file with its requests
need gpg
need apt-ftparchive
need dpkg-deb

locked_debs() {
  awk -F'"' '/^\[\[/ { deb = $0 == "[[deb]]" } deb && /^name = / { name = $2 }
    deb && /^version = / { print name, $2 }' "${1:-slipway.lock}" | sort
}

# (`Inst NAME [OLD] (NEW ...)`: the old version where there is one)
apt_would() {
  local root=$1
  shift
  chroot "$root" apt-get install -s --no-install-recommends "$@" >"$scratch/apt" 2>"$scratch/err" ||
    fail "apt-get in $root: $(tail -3 "$scratch/err" "$scratch/apt")"
  awk '/^Inst/ { new = $3 ~ /^\[/ ? $4 : $3; sub(/^\(/, "", new); print $2, new }' "$scratch/apt" | sort
}

debian_sources() {
  apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 2>/dev/null | sort -u |
    sed -n "s|^\(http[^ ]*\) bookworm\(-[a-z]*\)\{0,1\}$|deb \1 $1\2 main|p"
}

export GNUPGHOME=$scratch/gnupg
make_key() {
  mkdir -p "$GNUPGHOME" && chmod 700 "$GNUPGHOME"
  gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-generate-key "$1" ed25519 sign never 2>"$scratch/err" ||
    fail "gpg makes no key"
  gpg --batch --export "$1" >"$scratch/$1.gpg"
}

make_deb() {
  local folder=$1 name=$2 version=$3
  shift 3
  mkdir -p "$folder/DEBIAN" "$pool"
  printf '%s\n' "Package: $name" "Version: $version" "Architecture: all" "Maintainer: a <a@b>" \
    "Description: $name" "$@" >"$folder/DEBIAN/control"
  dpkg-deb --root-owner-group -Zgzip -b "$folder" "$pool/${name}_${version}_all.deb" >/dev/null || fail "dpkg-deb: $name"
}

# sign FOLDER KEY FIELD...: InRelease of what apt-ftparchive finds there, with more fields
sign() {
  local folder=$1 key=$2
  shift 2
  rm -f "$folder/Release" "$folder/InRelease"
  (cd "$folder" && apt-ftparchive release .) >"$scratch/Release" || fail "apt-ftparchive"
  { printf '%s\n' "$@"; cat "$scratch/Release"; } >"$folder/Release"
  gpg --batch --quiet -u "$key" --clearsign -o "$folder/InRelease" "$folder/Release" || fail "gpg signs nothing"
}

release_archive() {
  local folder=$1 suite=$2 key=$3 list=dists/$2/main/binary-amd64 none=dists/$2/none/binary-amd64
  shift 3
  mkdir -p "$folder/$list" "$folder/$none"
  (cd "$folder" && apt-ftparchive packages pool >"$list/Packages" && : >"$none/Packages") || fail "apt-ftparchive"
  xz -kf "$folder/$list/Packages" "$folder/$none/Packages"
  sign "$folder/dists/$suite" "$key" "Codename: $suite" "Suite: $suite" "Components: main none" "Architectures: amd64" "$@"
}

flat_archive() {
  (cd "$1" && rm -f Packages* && apt-ftparchive packages . >Packages && gzip -k Packages) || fail "apt-ftparchive"
  sign "$1" "$2"
}

serve() {
  served=$scratch/served.$RANDOM
  python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$1" >"$served" 2>&1 &
  server=$!
  registry_processes+=($server)
  address=
  for _ in $(seq 100); do
    address=$(sed -n 's/.* port \([0-9]*\) .*/127.0.0.1:\1/p' "$served" | head -1)
    [ -z "$address" ] || return 0
    sleep 0.1
  done
  fail "no server for $1"
}
