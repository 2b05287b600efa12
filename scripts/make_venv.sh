#!/bin/sh
# Make the virtual environment in the folder $1 with the first Python >= 3.11 that is found ($PYTHON goes first).
#
# Debian ships python3 without ensurepip, so that `python3 -m venv` fails half-way and leaves a folder without pip:
# that is looked at first. As root the missing package is installed, else the command that installs it is printed.
set -eu
folder=$1

say() { echo "$*" >&2; }

suits() { command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=
for candidate in ${PYTHON:-} python3.11 python3 python3.12 python3.13 python3.14; do
    if suits "$candidate"; then python=$candidate && break; fi
done
if [ -z "$python" ]; then
    say "No Python 3.11 or newer was found. Install one (sudo apt-get install python3 python3-venv) or name it:"
    say "    make PYTHON=/path/to/python3.11 ..."
    exit 1
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$python" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "$python has no ensurepip; installing $package."
        apt-get update >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y "$package" >&2
    else
        say "$python cannot make a virtual environment: it has no ensurepip. Install it and run make again:"
        say "    sudo apt-get install $package"
        exit 1
    fi
fi

# A folder left half-made would look made to the next run.
trap 'rm -rf "$folder"' INT TERM HUP
say "Making $folder with $("$python" --version)."
"$python" -m venv --clear "$folder" || { rm -rf "$folder"; exit 1; }
