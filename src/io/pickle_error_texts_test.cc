// SPDX-License-Identifier: Apache-2.0
// Golden texts of what the pickle of a .bin file can have wrong: the opcodes, and what a state dict is made of.
#include <gtest/gtest.h>

#include "base/file_test_folder.h"
#include "io/pickle.h"
#include "io/torch_state.h"

namespace hearth {
namespace {

using namespace std::string_literals;

struct PickleRow {
  std::string bytes;
  const char* text;
};

const std::string kPath = "folder/w.bin";

std::string read(const std::string& bytes) {
  return message_of([&] {
    const PickleSource source{.bytes = bytes, .allowed = torch_names(), .path = kPath, .part = "data.pkl"};
    read_torch_state(parse_pickle(source), kPath, 1 << 20);
  });
}

// What all errors of damaged pickles end with.
const std::string kDamaged = "\n  file folder/w.bin\n  hint: the file is damaged; download or save it again";
const std::string kNoState =
    "\n  file folder/w.bin\n  hint: the file is damaged or no state dict; save it again with "
    "torch.save(model.state_dict(), ...)";

TEST(PickleErrorTexts, opcodes) {
  const std::vector<PickleRow> rows = {
      {"\x80\x02X\xff\xff\xff\xff"s
       "abc.",
       "w.bin: data.pkl: byte 2: something of 4294967295 bytes; Hearth reads pickles of up to 33554432"},
      {"\x80\x02X\x09\x00\x00\x00"s
       "abc.",
       "w.bin: data.pkl: byte 2: the file ends in the middle of it"},
      {"\x80\x02"s
       "ctorch",
       "w.bin: data.pkl: byte 2: a name does not end"},
      {"\x80\x02."s, "w.bin: data.pkl: byte 2: it takes from an empty stack"},
      {"\x80\x02t."s, "w.bin: data.pkl: byte 2: there is no mark on the stack"},
      {"\x80\x02h\x05."s, "w.bin: data.pkl: byte 2: it refers to object 5, which was not kept"},
      {"\x80\x02}(K\x01u."s, "w.bin: data.pkl: byte 6: a key has no value"},
      {"\x80\x02NNR."s, "w.bin: data.pkl: byte 4: it calls something that has no name"},
      {"\x80\x02"s
       "ccollections\nOrderedDict\nNR.",
       "w.bin: data.pkl: byte 28: the arguments of 'collections.OrderedDict' are no tuple"},
      {"\x80\x02"s
       "ccollections\nOrderedDict\nK\x01\x85R."s,
       "w.bin: data.pkl: byte 30: an OrderedDict of something else than pairs"},
      {"\x80\x02"s
       "ccollections\nOrderedDict\n](K\x01K\x02\x65\x85R."s,
       "w.bin: data.pkl: byte 35: an OrderedDict of something else than pairs"},
      {"\x80\x04K\x01K\x02\x93."s, "w.bin: data.pkl: byte 6: a name is no text"},
      {"\x80\x02}K\x01"s
       "a.",
       "w.bin: data.pkl: byte 5: there is no list to add to"},
      {"\x80\x02"s + std::string(1001, '('), "w.bin: data.pkl: byte 1002: more than 1000 marks within one another"}};
  for (const PickleRow& row : rows) EXPECT_EQ(read(row.bytes), row.text + kDamaged);
}

TEST(PickleErrorTexts, what_runs_no_code) {
  const std::string end =
      "\n  file folder/w.bin\n  hint: Hearth runs no code of pickle files; only plain tensors by name can be read";
  EXPECT_EQ(read("\x80\x02"s
                 "cbuiltins\neval\n."),
            "w.bin: data.pkl: byte 2: it names 'builtins.eval', which plain tensors have no use for" + end);
  EXPECT_EQ(read("\x80\x02I1\n."s),
            "w.bin: data.pkl: byte 2: opcode 0x49 ('I'), which plain tensors have no use for" + end);
  EXPECT_EQ(read("\x80\x09N."s), "w.bin: data.pkl: byte 0: protocol 9; Hearth reads 2 to 5" + end);
}

// {"w": _rebuild_tensor_v2(storage, offset, shape, strides, ...)} with any part replaced.
struct TensorParts {
  std::string storage =
      "(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x00"s
      "0X\x03\x00\x00\x00"s
      "cpuK\x04tQ";
  std::string offset = "K\x00"s, shape = "K\x04\x85"s, strides = "K\x01\x85"s, rest = "\x89}"s;
};

std::string state_of(const std::string& value) { return "\x80\x02}X\x01\x00\x00\x00w"s + value + "s."; }
std::string tensor(const TensorParts& p) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + p.storage + p.offset + p.shape + p.strides + p.rest + "tR";
}

TEST(PickleErrorTexts, state_dicts) {
  const std::string type = "ctorch\nFloatStorage\n",
                    key =
                        "X\x01\x00\x00\x00"s
                        "0",
                    cpu =
                        "X\x03\x00\x00\x00"s
                        "cpu";
  const std::string kind = "(X\x07\x00\x00\x00storage"s;
  EXPECT_EQ(read(state_of(tensor({}))), "");
  const std::vector<PickleRow> rows = {
      {"\x80\x02]."s, "w.bin: it holds no state dict, a dict of tensors by name"},
      {state_of(tensor({.offset = "N"})), "w.bin: tensor 'w': the offset is no integer of 0 or more"},
      {state_of(tensor({.offset = "J\xff\xff\xff\xff"s})), "w.bin: tensor 'w': the offset is no integer of 0 or more"},
      {state_of(tensor({.shape = "K\x04"s})), "w.bin: tensor 'w': the shape is no tuple of at most 64 numbers"},
      {state_of(tensor({.storage = kind + "K\x07" + key + cpu + "K\x04tQ"s})),
       "w.bin: tensor 'w': its element type has no name"},
      {state_of(tensor({.storage = "N"})), "w.bin: tensor 'w': has no storage"},
      {state_of(tensor({.storage = "K\x01\x85Q"s})),
       "w.bin: tensor 'w': its storage is described by something else than a tuple of 5 or 6"},
      {state_of(tensor({.storage = kind + type + "N" + cpu + "K\x04tQ"s})),
       "w.bin: tensor 'w': the storage's key is no text"},
      {state_of(tensor({.storage = kind + type + key + cpu + "K\x04K\x07tQ"s})),
       "w.bin: tensor 'w': its view of a storage is no tuple of 3"},
      {state_of(tensor({.storage = kind + type + key + cpu + "\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x7ftQ"s})),
       "w.bin: tensor 'w': its storage of 9151314442816847872 elements is too large"},
      {state_of(tensor({.strides = "K\x05\x85"s})), "w.bin: tensor 'w': it ends at element 15 of a storage that has 4"},
      {state_of(tensor({.strides = ")"})), "w.bin: tensor 'w': it has 1 sizes and 0 strides"},
      {state_of(tensor({.rest = "\x89}}}}"s})), "w.bin: tensor 'w': torch._utils._rebuild_tensor_v2 with 9 arguments"},
      {"\x80\x02}K\x07Ns."s, "w.bin: a name of the state dict is no text"}};
  for (const PickleRow& row : rows) EXPECT_EQ(read(row.bytes), row.text + kNoState);
  std::string wrapped = tensor({});
  for (int i = 0; i < 9; ++i) wrapped = "ctorch._utils\n_rebuild_parameter\n(" + wrapped + "\x89}tR"s;
  EXPECT_EQ(read(state_of(wrapped)), "w.bin: tensor 'w': is wrapped more than 8 times" + kNoState);
}

TEST(PickleErrorTexts, states_that_hearth_does_not_read) {
  const std::string end = "\n  file folder/w.bin";
  const std::string hint = "\n  hint: save the state dict alone: torch.save(model.state_dict(), ...)";
  EXPECT_EQ(read(state_of("K\x01"s)), "w.bin: tensor 'w': is no tensor" + end + hint);
  EXPECT_EQ(read(state_of("}")), "w.bin: tensor 'w': is no tensor, but a dict" + end + hint);
  EXPECT_EQ(read(state_of(tensor({.shape = "J\x00\x00\x00\x70\x85"s, .strides = "K\x00\x85"s}))),
            "w.bin: tensor 'w': it repeats its elements up to 7516192768 bytes, more than the file has" + end);
  const TensorParts f8 = {.storage =
                              "(X\x07\x00\x00\x00storagectorch.storage\nUntypedStorage\nX\x01\x00\x00\x00"s
                              "0X\x03\x00\x00\x00"s
                              "cpuK\x04tQ"};
  EXPECT_EQ(read(state_of("ctorch._utils\n_rebuild_tensor_v3\n(" + f8.storage + f8.offset + f8.shape + f8.strides +
                          "\x89}ctorch\nfloat8_e4m3fn\ntR"s)),
            "w.bin: tensor 'w': has elements of torch.float8_e4m3fn, which Hearth does not read" + end +
                "\n  hint: convert the model to bf16, f16 or f32");
  EXPECT_EQ(read(state_of(tensor({.rest = "\x89}}X\x04\x00\x00\x00"s
                                          "conj\x88s"s}))),
            "w.bin: tensor 'w': is conjugated or negated" + end);
  EXPECT_EQ(read(state_of("ctorch._utils\n_rebuild_parameter\n(N\x89}tR"s)),
            "w.bin: tensor 'w': is a parameter without a tensor" + end);
}

}  // namespace
}  // namespace hearth
