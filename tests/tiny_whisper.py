"""A Whisper small enough to be trained on the spot: whatever it hears, it says one sentence."""

from pathlib import Path

SECONDS = 2.0
"""After so long the sentence is over, in each window of 30 seconds."""


def build(folder: Path, language: str, sentence: str) -> None:
    """Train the decoder to say the sentence, and save model and processor in safetensors."""
    import torch
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
    )

    tokenizer = _tokenizer()
    ids = tokenizer.get_vocab()
    end, start = ids["<|endoftext|>"], ids["<|startoftranscript|>"]
    common = {
        "decoder_start_token_id": start,
        "eos_token_id": end,
        "bos_token_id": end,
        "pad_token_id": end,
    }
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            **{f"{side}_{part}": n for side in ("encoder", "decoder") for part, n in _SIZE.items()},
            **common,
            vocab_size=len(tokenizer),
            d_model=32,
            max_target_positions=128,
            dropout=0.0,
            suppress_tokens=None,
            begin_suppress_tokens=None,
        )
    )
    said = [f"<|{language}|>", "<|transcribe|>", "<|0.00|>", sentence, f"<|{SECONDS:.2f}|>"]
    spoken = tokenizer("".join(said), add_special_tokens=False)["input_ids"]
    target = torch.tensor([[start, *spoken, end]])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(80):
        heard = (torch.randn(1, 20, 32),)
        out = model(encoder_outputs=heard, decoder_input_ids=target[:, :-1], labels=target[:, 1:])
        out.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.generation_config = GenerationConfig(
        **common,
        max_length=128,
        is_multilingual=True,
        lang_to_id={f"<|{code}|>": ids[f"<|{code}|>"] for code in ("en", "vi")},
        task_to_id={task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")},
        no_timestamps_token_id=ids["<|notimestamps|>"],
        prev_sot_token_id=ids["<|startofprev|>"],
        max_initial_timestamp_index=50,
    )
    model.eval().save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)


_SIZE = {"layers": 1, "attention_heads": 2, "ffn_dim": 32}
_SPECIAL = (
    "<|endoftext|> <|startoftranscript|> <|en|> <|vi|> <|translate|> <|transcribe|> "
    "<|startoflm|> <|startofprev|> <|nospeech|> <|notimestamps|>"
)


def _tokenizer():  # type: ignore[no-untyped-def]
    """Bytes, then Whisper's special tokens and times in their usual order."""
    from tokenizers import AddedToken, pre_tokenizers
    from transformers import WhisperTokenizer

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = WhisperTokenizer(
        vocab={letter: at for at, letter in enumerate(letters)},
        merges=[],
        extra_special_tokens=_SPECIAL.split()[1:],
    )
    tokenizer.add_tokens(
        [AddedToken(f"<|{at * 0.02:.2f}|>", normalized=False) for at in range(1501)]
    )
    return tokenizer
