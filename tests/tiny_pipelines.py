"""Models of a few thousand weights for each pipeline, trained on the spot to know one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NAMES = {"Halvorsen": "PER", "Nguyễn": "PER", "Oslo": "LOC", "Huế": "LOC", "Nordlys": "ORG"}
"""What the tiny tagger takes for names, wherever it stands."""
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[BOS]", "[EOS]")
WORDS = (
    "we you it is was the a of in and to for from with at by on not very good great bad poor leave "
    "days cold store invoice ship weeks manager wrote visited works said report year ; , . : ! ? "
    "Summary # một năm nhân viên được nghỉ phép ngày rất tốt kém kho lạnh và ở của làm việc tại gặp"
).split()
"""Other words that the tiny tokenizer knows."""


def tokenizer(words: Sequence[str] = (), wrapped: bool = True, extra: Sequence[str] = ()) -> Any:
    """One token a word; ``wrapped`` puts [CLS] and [SEP] around a text."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    known = dict.fromkeys([*SPECIAL, *extra, *NAMES, *WORDS, *words])
    parts = Tokenizer(models.WordLevel({w: n for n, w in enumerate(known)}, unk_token="[UNK]"))
    parts.pre_tokenizer = pre_tokenizers.Whitespace()
    if wrapped:
        parts.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=parts, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", bos_token="[BOS]", eos_token="[EOS]", model_max_length=64,
        additional_special_tokens=list(extra),
    )  # fmt: skip


def tagger(folder: Path, names: Mapping[str, str] = NAMES) -> Path:
    """A BERT for token classification that tags these words, and no others."""
    import torch
    from transformers import BertForTokenClassification

    own = tokenizer()
    labels = ["O", *(f"B-{kind}" for kind in sorted(set(names.values())))]
    torch.manual_seed(0)
    model = BertForTokenClassification(_bert(len(own), labels))
    ids = torch.tensor([list(own.get_vocab().values())]).T
    by_id = {own.convert_tokens_to_ids(name): f"B-{kind}" for name, kind in names.items()}
    wanted = torch.tensor([[labels.index(by_id.get(int(one), "O"))] for one in ids])
    # Every word alone, and all of them shuffled, so that neighbours do not matter.
    order = [torch.randperm(len(ids))[:60] for _ in range(8)]
    mixed = torch.stack([ids[at, 0] for at in order])
    tags = torch.stack([wanted[at, 0] for at in order])
    alone, together = {"input_ids": ids, "labels": wanted}, {"input_ids": mixed, "labels": tags}
    _train(model, 40, alone, together)
    return _saved(model, own, folder)


def byte_tagger(folder: Path) -> Path:
    """A RoBERTa that takes every token for a person, each of which is a single byte."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForTokenClassification

    known = ["<s>", "<pad>", "</s>", "<unk>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    parts = Tokenizer(models.BPE({token: n for n, token in enumerate(known)}, []))
    parts.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    parts.decoder = decoders.ByteLevel()
    parts.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    own: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=parts, bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        unk_token="<unk>", model_max_length=62,
    )  # fmt: skip
    model = RobertaForTokenClassification(
        RobertaConfig(
            vocab_size=len(own), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, max_position_embeddings=66, pad_token_id=1, type_vocab_size=1,
            id2label={0: "O", 1: "B-PER"}, label2id={"O": 0, "B-PER": 1},
        )
    )  # fmt: skip
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([0.0, 9.0]))
    return _saved(model, own, folder)


def classifier(folder: Path, examples: Mapping[str, Sequence[str]]) -> Path:
    """A BERT for text classification that has learnt these texts by label."""
    import torch
    from transformers import BertForSequenceClassification

    own = tokenizer()
    labels = list(examples)
    torch.manual_seed(0)
    model = BertForSequenceClassification(_bert(len(own), labels))
    texts = [(text, labels.index(label)) for label, some in examples.items() for text in some]
    batch = own([text for text, _ in texts], return_tensors="pt", padding=True)
    given = {name: batch[name] for name in ("input_ids", "attention_mask")}
    _train(model, 40, {**given, "labels": torch.tensor([label for _, label in texts])})
    return _saved(model, own, folder)


def writer(folder: Path, sentence: str, code: str = "") -> Path:
    """A BART that writes one sentence about everything.

    With a language ``code`` it does so only if its text begins with that token, and ends at once
    otherwise, as models of many languages are told which one to write.
    """
    import torch
    from transformers import BartConfig, BartForConditionalGeneration

    own = tokenizer(sentence.split(), extra=(code,) if code else ())
    end, start = own.convert_tokens_to_ids(["[EOS]", "[BOS]"])
    torch.manual_seed(0)
    model = BartForConditionalGeneration(
        BartConfig(
            vocab_size=len(own), d_model=32, encoder_layers=1, decoder_layers=1,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32,
            decoder_ffn_dim=64, max_position_embeddings=128, dropout=0.0, pad_token_id=0,
            bos_token_id=start, eos_token_id=end, decoder_start_token_id=start,
            forced_eos_token_id=None,
        )
    )  # fmt: skip
    said = own.convert_tokens_to_ids(sentence.split())
    rows = [[start, *said, end]]
    if code:
        rows = [[start, own.convert_tokens_to_ids(code), *said, end]]
        rows.append([start, end, *[-100] * (len(said) + 1)])
    target = torch.tensor(rows)
    heard = torch.randint(6, len(own), (1, 24)).expand(len(rows), -1)
    shown, wanted = target[:, :-1].clamp(min=0), target[:, 1:].contiguous()
    _train(model, 80, {"input_ids": heard, "decoder_input_ids": shown, "labels": wanted})
    return _saved(model, own, folder)


def chat(folder: Path, sentence: str) -> Path:
    """A Llama with a chat template that replies with one sentence."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    own = tokenizer(sentence.split(), wrapped=False)
    own.model_max_length = 512
    own.chat_template = (
        "{% for m in messages %}[BOS] {{ m['content'] }} {% endfor %}"
        "{% if add_generation_prompt %}[SEP]{% endif %}"
    )
    end = own.convert_tokens_to_ids("[EOS]")
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(own), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=2, max_position_embeddings=512, pad_token_id=0, bos_token_id=4,
            eos_token_id=end,
        )
    )  # fmt: skip
    said = [own.convert_tokens_to_ids("[SEP]"), *own.convert_tokens_to_ids(sentence.split()), end]
    heard = torch.randint(6, len(own), (16, 12))
    whole = torch.cat([heard, torch.tensor([said] * 16)], dim=1)
    labels = whole.clone()
    labels[:, :13] = -100
    _train(model, 80, {"input_ids": whole, "labels": labels})
    return _saved(model, own, folder)


def _bert(size: int, labels: Sequence[str]) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=size, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, id2label=dict(enumerate(labels)),
        label2id={label: n for n, label in enumerate(labels)},
    )  # fmt: skip


def _train(model: Any, steps: int, *batches: Mapping[str, Any]) -> None:
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more only wait for one another on matrices this small
    for _ in range(steps):
        for batch in batches:
            model(**batch).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    torch.set_num_threads(threads)


def _saved(model: Any, own: Any, folder: Path) -> Path:
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model.save_pretrained(folder)
    own.save_pretrained(folder)
    return folder
