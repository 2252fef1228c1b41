// SPDX-License-Identifier: Apache-2.0
// Which test holds which case of tuning, tokenizers and files that broke other libraries, where it is not one of
// TuningEdgeCases. Not there, since the feature is not: groups of quantized weights, merging into a 4-bit base, GGUF,
// HTTP, a chat's context running over.
#include "base/test_names_test.h"

namespace hearth {
namespace {

const TestsOfCases kTuning = {
    {"heads of 64", "Flash/FlashRows.matches_definition/head_64"},
    {"heads of 80", "Flash/FlashRows.matches_definition/head_80"},
    {"heads of 96", "Flash/FlashRows.matches_definition/head_96"},
    {"heads of 100", "Flash/FlashRows.matches_definition/head_100"},
    {"heads of 128", "Flash/FlashRows.matches_definition/head_128"},
    {"heads of 256", "Flash/FlashRows.matches_definition/head_256"},
    {"grouped attention", "Flash/FlashRows.matches_definition/grouped_3"},
    {"multi-query attention", "Flash/FlashRows.matches_definition/multi_query"},
    {"sequence of length 1", "Flash/FlashRows.matches_definition/one"},
    {"causal with cache offset", "Flash/FlashRows.matches_definition/start"},
    {"a row that sees nothing is 0", "Flash/FlashRows.matches_definition/more_queries_than_keys"},
    {"a masked slot may be NaN", "Flash.masked_cache_slots_may_be_nan"},
    {"tied embeddings: loading, computing", "tests/interop/llama_variants_test.py:test_tied_output"},
    {"tied embeddings: merging", "tests/interop/lm_head_test.py:test_merged"},
    {"tied embeddings: saving", "tests/interop/convert_test.py:test_as_transformers_saves"},
    {"tied embeddings: both in a .bin file", "tests/interop/torch_file_test.py:test_zip_legacy_and_tied"},
    {"no lm_head and no tie: named", "ModelFolder.a_missing_output_hints_at_tied_weights"},
    {"every id of an eos list stops", "tests/interop/llama_variants_test.py:test_end_tokens_stop"},
    {"every id of an eos list stops", "Generator.generation_config_names_the_end_tokens"},
    {"accumulation equals one batch, the last partial group steps", "Trainer.accumulation_equals_one_large_batch"},
    {"resume in the middle of an epoch", "Trainer.resume_is_bit_exact"},
    {"resume in the middle of an epoch", "tests/interop/resume_test.py:test_killed_at_random_points"},
    {"resume with packing or grouping", "tests/interop/resume_test.py:test_examples_resume_anywhere"},
    {"a checkpoint cut short", "tests/interop/resume_test.py:test_damaged_checkpoint_is_refused_or_passed_over"},
    {"NaN stops with step and tensor", "Trainer.not_finite_names_step_and_tensor"},
    {"infinite loss stops", "Trainer.a_loss_that_is_not_finite_changes_nothing_though_the_gradients_are_finite"},
    {"adapter with a wrong prefix", "tests/interop/peft_test.py:test_wrong_prefix"},
    {"adapter without a layer", "tests/interop/peft_test.py:test_missing_layer"},
    {"adapter with an extra key", "tests/interop/peft_test.py:test_extra_key"},
    {"adapter of a wrong rank", "tests/interop/peft_test.py:test_wrong_rank"},
    {"adapter: what is wrong is listed", "HandMadeAdapter.an_adapter_for_another_model_is_refused_with_lists"},
    {"prompt longer than the context", "Generator.context_that_is_too_short_is_named"},
    {"prompt longer than the context", "tests/cli/bad_use_test.py:test_prompt_longer_than_the_context"},
    {"prompt in chunks", "Generator.chunks_of_a_long_prompt_join"},
    {"cancel in the middle of a stream", "Generator.the_reader_can_stop_it"},
};

const TestsOfCases kTokenizers = {
    {"dialect of version 5", "tests/interop/tokenizer_test.py:test_new_dialect_folder"},
    {"dialect of version 4", "tests/interop/tokenizer_test.py:test_old_dialect"},
    {"byte fallback", "tests/interop/tokenizer_kinds_test.py:test_unigram_bytes"},
    {"characters split over tokens", "StreamDecoder.never_splits_a_character_and_adds_up"},
    {"special tokens inside a text", "Tokenizer.special_strings_in_a_text"},
    {"leading spaces", "tests/interop/tokenizer_test.py:test_metaspace_schemes"},
    {"CRLF", "text/TokenizerKind.line_ends_of_all_kinds/llama_old"},
    {"empty text", "text/TokenizerKind.empty_text/llama_old"},
    {"invalid UTF-8", "text/TokenizerKind.invalid_utf8_counts_as_replacement_characters/llama_old"},
    {"1 MB without a space", "text/TokenizerKind.a_megabyte_without_a_space/llama_old"},
    {"1 MB without a space", "Tokenizer.a_megabyte_without_a_space"},
};

const TestsOfCases kFiles = {
    {"header too long, no object, names twice", "Safetensors.refuses_a_bad_header"},
    {"sizes overflow, unknown dtype", "Safetensors.refuses_a_bad_tensor"},
    {"overlaps, gaps, out of range, trailing bytes", "Safetensors.refuses_bad_offsets"},
    {"missing shard, a tensor twice", "ShardedFolder.an_index_that_does_not_fit_its_files_is_refused"},
    {"path outside of the folder", "ShardedFolder.an_index_that_leads_out_of_the_folder_is_refused"},
    {"numbers of config.json", "Families.any_value_of_any_key_is_read_or_refused"},
    {"numbers of config.json: texts", "ModelErrorTexts.numbers"},
    {"full disk", "AtomicFile.a_full_or_read_only_disk_keeps_what_was_there"},
    {"full disk", "tests/cli/bad_use_test.py:test_full_disk"},
    {"full disk: before writing", "SaveModelFolder.what_cannot_fit_the_disk_is_refused_before_writing"},
    {"read-only folder", "AtomicFile.a_folder_that_cannot_be_written_is_named"},
    {"file cut while mapped", "MappedFile.a_file_cut_short_reads_as_zeros_and_is_reported"},
    {"file changed while mapped", "MappedFile.a_file_written_to_is_reported"},
    {"file changed while mapped", "ModelFolder.a_file_that_changes_while_open_is_noticed"},
};

TEST(TuningEdgeCases, those_of_other_files_are_there) {
  expect_all_there(kTuning);
  expect_all_there(kTokenizers);
  expect_all_there(kFiles);
}

}  // namespace
}  // namespace hearth
