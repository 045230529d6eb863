#!/bin/sh
# Speaks every sentence of transcripts.json into <clip>.flac (needs espeak-ng, ffmpeg and jq).
set -eu
cd "$(dirname "$0")"
tab=$(printf '\t')
jq -r '.[] | [.clip, .voice, .words_per_minute, .pitch, .text] | @tsv' transcripts.json |
while IFS="$tab" read -r clip voice words_per_minute pitch text; do
    espeak-ng -v "$voice" -s "$words_per_minute" -p "$pitch" --stdout "$text" </dev/null |
    ffmpeg -v error -y -i pipe:0 -ar 16000 -ac 1 -sample_fmt s16 -map_metadata -1 -fflags +bitexact \
        -flags:a +bitexact -c:a flac -compression_level 12 "$clip.flac"
done
