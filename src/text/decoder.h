// SPDX-License-Identifier: Apache-2.0
#pragma once
// Decoders: a list of token texts becomes a text. Written as stages that tokens flow through, so that decoding a whole
// list and decoding one token at a time are the same code and give the same bytes.

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/regex.h"

namespace hearth::tokenizers {

struct ReplaceText {  // in every token
  std::string pattern, content;
};
struct ReplaceMatches {  // of a regular expression, in every token
  Regex pattern;
  std::string content;
};
struct BytesFromTokens {};  // "<0x0A>" becomes its byte; a run of such tokens that is no UTF-8 becomes one U+FFFD each
struct Fuse {};             // all tokens so far are one from here on
struct StripEnds {          // up to `start` times content at a token's begin, up to `stop` at its end
  std::string content;
  size_t start = 0, stop = 0;
};
struct CharsToBytes {};  // byte-level vocabularies: characters become bytes, broken UTF-8 becomes U+FFFD; fuses
struct SpaceFromMeta {   // `replacement` becomes a space, or nothing in the first token if drop_in_first
  std::string replacement;
  bool drop_in_first = true;
};
struct JoinPieces {  // WordPiece: a token without prefix begins a word
  std::string prefix;
  bool cleanup = true;  // no spaces before punctuation and English contractions
};
struct SpaceFromSuffix {  // original BPE: `suffix` ends a word; it becomes a space, in the last token nothing
  std::string suffix;
};
struct MergeRepeats {  // CTC: repeated tokens are one, pad tokens nothing
  std::string pad_token, word_delimiter;
  bool cleanup = true;  // as JoinPieces has it, and the delimiter becomes a space
};
struct JoinWithSpaces {};  // what the tokenizers library does when a file names no decoder

using DecoderStep = std::variant<ReplaceText, ReplaceMatches, BytesFromTokens, Fuse, StripEnds, CharsToBytes,
                                 SpaceFromMeta, JoinPieces, SpaceFromSuffix, MergeRepeats, JoinWithSpaces>;

// One stage of a running decoding. Calls may write any number of pieces; pieces are valid UTF-8 when tokens are.
class DecodeStage {
 public:
  virtual ~DecodeStage() = default;
  virtual void push(std::string_view token) = 0;
  virtual void finish() = 0;
};

class Decoder {
 public:
  void add(const DecoderStep& step) { steps_.push_back(step); }

  // A chain of stages that appends text to *out, which must outlive it: what is there is final. finish() flushes.
  // Text comes as it gets ready, but where a step that judges whole tokens stands behind one that joins them all (say
  // ByteFallback behind Fuse): then it comes at the end.
  std::unique_ptr<DecodeStage> start(std::string* out) const;

 private:
  std::vector<DecoderStep> steps_;
};

}  // namespace hearth::tokenizers
