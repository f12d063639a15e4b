#!/usr/bin/env python3
"""Measures an NVIDIA GPU for Tokenyard, with PyTorch (and its Triton) and nvidia-ml-py: no engine, no model weights.

    python3 measure_gpu.py kernels -o my-gpu                      tables for `tokenyard calibrate` (3 minutes)
    python3 measure_gpu.py steps   -o my-gpu --chip my-gpu        steps of whole decoders, and their watts (4 minutes)

`kernels` writes gemm.csv, generation_attention.csv, context_attention.csv and copies.csv. A row of copies.csv is the time
of `segments` copies of `segment_bytes` each, one after the other from and to places in random order, between the card
and pinned memory of its host, as an engine moves blocks of its KV cache. In `both`, as many go each way at once.

`steps` writes steps.csv: decoders with random weights, every step one captured CUDA graph, so without an engine's host
time. A decoding step has `calls` calls whose contexts hold `context` tokens each; a prefill step computes `tokens`
tokens of one prompt, nothing before them. Watts are the mean of the board over a loop of such steps, with `pause_s`
seconds of nothing after each. Rows without a model are a board that does nothing: before any program uses it, with one
that holds it, and straight after work.

Products are cuBLAS's (fp8: a scale for each row, rows quantised by a kernel of their own); attention to the cache is
the Triton kernel below, to the prompt PyTorch's fastest. The card is measured as it is found: nothing is set.
"""

import argparse
import csv
import dataclasses
import os
import pathlib
import statistics
import sys
import time
import traceback

os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # the driver's order, by which the meter finds the card

try:
    import pynvml
    import torch
    import torch.nn.functional as F
    import triton
    import triton.language as tl
    from torch.nn.attention import SDPBackend, sdpa_kernel
except ImportError as missing:
    sys.exit(f"{missing}. On the GPU's machine: pip install torch nvidia-ml-py")

BF16, FP8 = torch.bfloat16, torch.float8_e4m3fn


# --- Clock and meter -------------------------------------------------------------------------------------------------


class Meter:
    """The energy counter and the clock of the first card that this program may use."""

    def __init__(self):
        pynvml.nvmlInit()
        card = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip() or "0"
        self.handle = (pynvml.nvmlDeviceGetHandleByIndex(int(card)) if card.isdigit() else
                       pynvml.nvmlDeviceGetHandleByUUID(card))
        self.name = pynvml.nvmlDeviceGetName(self.handle)

    def joules(self):
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(self.handle) / 1e3

    def megahertz(self):
        return pynvml.nvmlDeviceGetClockInfo(self.handle, pynvml.NVML_CLOCK_SM)

    def watts_of(self, seconds):
        """Mean over so many seconds from now."""
        start, joules = time.perf_counter(), self.joules()
        time.sleep(seconds)
        return (self.joules() - joules) / (time.perf_counter() - start)


def captured(work, launches=1):
    """A CUDA graph of work(0), work(1), …"""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for i in range(min(launches, 2)):
            work(i)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        for i in range(launches):
            work(i)
    torch.cuda.synchronize()
    return graph


def replay_seconds(graph, replays=5):
    graph.replay()
    times = []
    for _ in range(replays):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return statistics.median(times)


def looped(graph, meter, seconds, pause_s=0.0):
    """Seconds of a replay without its pause, watts, megahertz: over a loop of about so many seconds, a third more ahead
    of it: by then a card that reaches its power limit has slowed down."""
    step_s = replay_seconds(graph, 3)
    steps = max(3, round(seconds / (step_s + pause_s)))

    def run(count):
        for _ in range(count):
            graph.replay()
            if pause_s:
                torch.cuda.synchronize()
                until = time.perf_counter() + pause_s
                while time.perf_counter() < until:
                    pass
        megahertz = meter.megahertz()
        torch.cuda.synchronize()
        return megahertz

    run(max(1, steps // 3))
    start, joules = time.perf_counter(), meter.joules()
    megahertz = run(steps)
    elapsed = time.perf_counter() - start
    return elapsed / steps - pause_s, (meter.joules() - joules) / elapsed, megahertz


# --- Kernels that PyTorch has none of --------------------------------------------------------------------------------


@triton.jit
def add_norm_kernel(x, residual, weight, out, width, BLOCK: tl.constexpr):
    row, i = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    mask = i < width
    value = tl.load(x + row * width + i, mask, 0.0).to(tl.float32)
    value += tl.load(residual + row * width + i, mask, 0.0).to(tl.float32)
    tl.store(residual + row * width + i, value.to(tl.bfloat16), mask)
    scale = tl.rsqrt(tl.sum(value * value) / width + 1e-5)
    tl.store(out + row * width + i, (value * scale * tl.load(weight + i, mask, 0.0)).to(tl.bfloat16), mask)


def add_norm(x, residual, weight):
    out = torch.empty_like(x)
    add_norm_kernel[(x.shape[0],)](x, residual, weight, out, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]),
                                   num_warps=8)
    return out


@triton.jit
def silu_mul_kernel(x, out, width, BLOCK: tl.constexpr):
    row, i = tl.program_id(0).to(tl.int64), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mask = i < width
    gate = tl.load(x + row * 2 * width + i, mask, 0.0).to(tl.float32)
    up = tl.load(x + row * 2 * width + width + i, mask, 0.0).to(tl.float32)
    tl.store(out + row * width + i, (gate * tl.sigmoid(gate) * up).to(tl.bfloat16), mask)


def silu_mul(x):
    rows, width = x.shape[0], x.shape[1] // 2
    out = torch.empty(rows, width, dtype=BF16, device="cuda")
    silu_mul_kernel[(rows, triton.cdiv(width, 1024))](x, out, width, BLOCK=1024)
    return out


@triton.jit
def quantise_kernel(x, out, scales, width, BLOCK: tl.constexpr):
    row, i = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    mask = i < width
    value = tl.load(x + row * width + i, mask, 0.0).to(tl.float32)
    scale = tl.maximum(tl.max(tl.abs(value)) / 448.0, 1e-12)
    tl.store(scales + row, scale)
    tl.store(out + row * width + i, (value / scale).to(tl.float8e4nv), mask)


def quantise(x):
    out = torch.empty(x.shape, dtype=FP8, device="cuda")
    scales = torch.empty(x.shape[0], 1, dtype=torch.float32, device="cuda")
    quantise_kernel[(x.shape[0],)](x, out, scales, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]), num_warps=16)
    return out, scales


@triton.jit
def rotate_store_kernel(qkv, q, k, v, at, places, cosines, HEADS: tl.constexpr, KV: tl.constexpr,
                        WIDTH: tl.constexpr, BY_ROW: tl.constexpr):
    """Rotates queries and keys; keys and values go to their place in the cache."""
    row, head = tl.program_id(0).to(tl.int64), tl.program_id(1)
    i = tl.arange(0, WIDTH // 2)
    source = qkv + (row * (HEADS + 2 * KV) + head) * WIDTH
    low, high = tl.load(source + i).to(tl.float32), tl.load(source + WIDTH // 2 + i).to(tl.float32)
    position = at + row if BY_ROW else at
    cosine = tl.load(cosines + position * WIDTH + i)
    sine = tl.load(cosines + position * WIDTH + WIDTH // 2 + i)
    a, b = low * cosine - high * sine, high * cosine + low * sine
    if head >= HEADS + KV:
        a, b = low, high
    place = row if BY_ROW else row * places + at
    if head < HEADS:
        target = q + (row * HEADS + head) * WIDTH
    elif head < HEADS + KV:
        target = k + (place * KV + head - HEADS) * WIDTH
    else:
        target = v + (place * KV + head - HEADS - KV) * WIDTH
    tl.store(target + i, a.to(tl.bfloat16))
    tl.store(target + WIDTH // 2 + i, b.to(tl.bfloat16))


@triton.jit(do_not_specialize=["splits"])
def split_attention_kernel(q, k, v, part, most, total, context, places, splits, scale, HEADS: tl.constexpr,
                           KV: tl.constexpr, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    """Attention of one call's heads of one KV head to a part of its context."""
    call, head, split = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    GROUP: tl.constexpr = HEADS // KV
    rows, d = tl.arange(0, 16), tl.arange(0, WIDTH)
    in_group = rows < GROUP
    row = call * HEADS + head * GROUP + rows
    query = tl.load(q + row[:, None] * WIDTH + d[None, :], in_group[:, None], 0.0)
    each = tl.cdiv(tl.cdiv(context, splits), BLOCK) * BLOCK
    start = split * each
    end = tl.minimum(start + each, context)
    largest = tl.full([16], float("-inf"), tl.float32)
    weights = tl.zeros([16], tl.float32)
    values = tl.zeros([16, WIDTH], tl.float32)
    base = (call.to(tl.int64) * places * KV + head) * WIDTH
    for n in range(start, end, BLOCK):
        position = n + tl.arange(0, BLOCK)
        there = position < end
        keys = tl.load(k + base + position[None, :] * (KV * WIDTH) + d[:, None], there[None, :], 0.0)
        x = tl.where(there[None, :], tl.dot(query, keys) * scale, float("-inf"))
        larger = tl.maximum(largest, tl.max(x, 1))
        p = tl.exp(x - larger[:, None])
        shrink = tl.exp(largest - larger)
        weights = weights * shrink + tl.sum(p, 1)
        held = tl.load(v + base + position[:, None] * (KV * WIDTH) + d[None, :], there[:, None], 0.0)
        values = values * shrink[:, None] + tl.dot(p.to(tl.bfloat16), held)
        largest = larger
    out = row * splits + split
    tl.store(most + out, largest, in_group)
    tl.store(total + out, weights, in_group)
    tl.store(part + out[:, None] * WIDTH + d[None, :], values, in_group[:, None])


@triton.jit
def merge_attention_kernel(part, most, total, out, WIDTH: tl.constexpr, SPLITS: tl.constexpr):
    row, s, d = tl.program_id(0), tl.arange(0, SPLITS), tl.arange(0, WIDTH)
    largest = tl.load(most + row * SPLITS + s)
    share = tl.exp(largest - tl.max(largest))
    values = tl.load(part + (row * SPLITS + s)[:, None] * WIDTH + d[None, :])
    sums = tl.sum(share * tl.load(total + row * SPLITS + s))
    tl.store(out + row * WIDTH + d, (tl.sum(values * share[:, None], 0) / sums).to(tl.bfloat16))


TILES = ((64, 4, 3), (128, 4, 3), (128, 8, 3))  # positions, warps, stages


def cache_attention(q, k, v, context, tile):
    """q: calls, heads, width; k, v: calls, places, KV heads, width. One token of each call."""
    calls, heads, width = q.shape
    places, kv = k.shape[1], k.shape[2]
    block, warps, stages = tile
    units = torch.cuda.get_device_properties(0).multi_processor_count
    splits = 1
    while splits < 64 and calls * kv * splits < 3 * units and context > 2 * splits * block:
        splits *= 2
    part = torch.empty(calls * heads, splits, width, dtype=torch.float32, device="cuda")
    most, total = (torch.empty(calls * heads, splits, dtype=torch.float32, device="cuda") for _ in range(2))
    split_attention_kernel[(calls, kv, splits)](q, k, v, part, most, total, context, places, splits, width**-0.5,
                                                HEADS=heads, KV=kv, WIDTH=width, BLOCK=block, num_warps=warps,
                                                num_stages=stages)
    out = torch.empty(calls, heads * width, dtype=BF16, device="cuda")
    merge_attention_kernel[(calls * heads,)](part, most, total, out, WIDTH=width, SPLITS=splits)
    return out


def prompt_attention(q, k, v, backend):
    """q: prompts, heads, tokens, width; k, v likewise of the KV heads. Causal."""
    with sdpa_kernel(backend):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)


def fastest(choices, run):
    """The choice whose run(choice) takes least, and its seconds. Choices that fail are passed over."""
    found, why = [], None
    for choice in choices:
        try:
            found.append((replay_seconds(captured(lambda _: run(choice)), 3), choice))
        except Exception as error:  # an implementation that this card or shape has not
            why = error
            torch.cuda.synchronize()
    if not found:
        raise why
    return min(found, key=lambda pair: pair[0])


PROMPT_BACKENDS = (SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION)


# --- Tables of kernels -----------------------------------------------------------------------------------------------


def table(path, columns):
    file = open(path, "w", newline="", buffering=1)
    writer = csv.writer(file)
    writer.writerow(columns)
    return writer


KERNEL_LOOP_S = 0.12  # of kernels that may bring the card to its power limit


def measure_gemm(folder, options):
    """Products of the dense blocks of Llama-3.1-8B, Qwen3-32B and Llama-3.1-70B on 1 to 8 chips. Milliseconds."""
    rows = table(folder / "gemm.csv", ["gemm_dtype", "m", "n", "k", "latency", "power"])
    shapes = set()
    for hidden, ffn, heads, kv, divisions in ((4096, 14336, 32, 8, (1, 2)), (5120, 25600, 64, 8, (1, 2, 4)),
                                              (8192, 28672, 64, 8, (2, 4, 8))):
        for tp in divisions:
            attention = heads * 128 // tp
            shapes |= {(attention + 2 * kv * 128 // tp, hidden), (hidden, attention), (2 * ffn // tp, hidden),
                       (hidden, ffn // tp)}
    pool = torch.randn(2**30, device="cuda").to(BF16)
    eight_bits = pool.to(FP8)
    l2 = torch.cuda.get_device_properties(0).L2_cache_size
    scale_of_columns = torch.ones(1, max(n for n, _ in shapes), dtype=torch.float32, device="cuda")
    formats = ("bfloat16", "fp8") if torch.cuda.get_device_capability() >= (8, 9) else ("bfloat16",)
    for dtype in formats:
        weights = pool if dtype == "bfloat16" else eight_bits
        for n, k in sorted(shapes):
            # So many matrices in turn that each has left the cache when its turn comes again.
            copies = min(weights.numel() // (n * k), max(2, -(-3 * l2 // (n * k * weights.element_size()))))
            matrices = [weights[i * n * k:(i + 1) * n * k].view(n, k) for i in range(copies)]
            for m in (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048, 4096, 8192):
                x = torch.randn(m, k, device="cuda").to(BF16)

                def product(i, x=x):
                    matrix = matrices[i % copies].t()
                    if dtype == "bfloat16":
                        return x @ matrix
                    quantised, scales = quantise(x)
                    return torch._scaled_mm(quantised, matrix, scales, scale_of_columns[:, :n], out_dtype=BF16,
                                            use_fast_accum=True)

                launches = max(copies, 20 if m < 128 else 4)  # the start of the graph is in the time
                graph, watts = captured(product, launches), ""
                if m < 128:
                    seconds = replay_seconds(graph)
                else:
                    seconds, watts, _ = looped(graph, options.meter, KERNEL_LOOP_S)
                rows.writerow([dtype, m, n, k, f"{seconds / launches * 1e3:.6f}", watts and f"{watts:.0f}"])


HEADS = ((32, 8), (64, 8), (16, 2))
MOST_CACHE = 2**31  # elements of keys, or of values, in a table of attention


def measure_generation_attention(folder, _):
    rows = table(folder / "generation_attention.csv",
                 ["batch_size", "num_heads", "num_key_value_heads", "head_dim", "attn_dtype", "kv_cache_dtype", "step",
                  "window_size", "latency"])
    free, _ = torch.cuda.mem_get_info()
    elements = min(MOST_CACHE, free // 16) // 4  # a quarter of it is drawn, and repeated
    keys, values = (torch.randn(elements, device="cuda").to(BF16).repeat(4) for _ in range(2))
    l2 = torch.cuda.get_device_properties(0).L2_cache_size
    for heads, kv in HEADS:
        for calls in (1, 2, 4, 8, 16, 32, 64, 128, 256):
            for context in (128, 512, 1024, 2048, 4096, 8192, 16384, 32768):
                each = calls * context * kv * 128
                if each > keys.numel():
                    continue
                copies = min(64, keys.numel() // each, max(2, -(-3 * l2 // (4 * each))))
                k, v = ([x[i * each:(i + 1) * each].view(calls, context, kv, 128) for i in range(copies)]
                        for x in (keys, values))
                q = torch.randn(calls, heads, 128, device="cuda").to(BF16)
                _, tile = fastest(TILES, lambda tile: cache_attention(q, k[0], v[0], context, tile))
                launches = max(20, copies)
                graph = captured(lambda i: cache_attention(q, k[i % copies], v[i % copies], context, tile), launches)
                rows.writerow([calls, heads, kv, 128, "bfloat16", "bfloat16", context - 1, 0,
                               f"{replay_seconds(graph) / launches * 1e3:.6f}"])


def measure_context_attention(folder, options):
    rows = table(folder / "context_attention.csv",
                 ["batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim", "attn_dtype", "kv_cache_dtype",
                  "step", "window_size", "latency", "power"])
    for heads, kv in HEADS:
        for prompts in (1, 4):
            for tokens in (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384):
                q = torch.randn(prompts, heads, tokens, 128, device="cuda").to(BF16)
                k, v = (torch.randn(prompts, kv, tokens, 128, device="cuda").to(BF16) for _ in range(2))
                seconds, backend = fastest(PROMPT_BACKENDS, lambda backend: prompt_attention(q, k, v, backend))
                launches, watts = 1 if seconds > 1e-4 else 20, ""
                graph = captured(lambda _: prompt_attention(q, k, v, backend), launches)
                if launches == 1:
                    seconds, watts, _ = looped(graph, options.meter, KERNEL_LOOP_S)
                else:
                    seconds = replay_seconds(graph) / launches
                rows.writerow([prompts, tokens, heads, kv, 128, "bfloat16", "bfloat16", 0, 0, f"{seconds * 1e3:.6f}",
                               watts and f"{watts:.0f}"])


# --- Whole decoders --------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Shape:
    """Of a decoder as Llama's."""
    name: str
    layers: int
    hidden: int
    ffn: int
    heads: int
    kv: int
    vocabulary: int
    width: int = 128

    def bytes_of_weights(self, weights):
        layer = self.hidden * (2 * (self.heads + self.kv) * self.width + 3 * self.ffn)
        return layer * self.layers * (1 if weights == "fp8" else 2) + 4 * self.vocabulary * self.hidden


LLAMA_8B = Shape("llama-3.1-8b", 32, 4096, 14336, 32, 8, 128256)
QWEN_32B = Shape("qwen3-32b", 64, 5120, 25600, 64, 8, 151936)
LLAMA_70B = Shape("llama-3.1-70b", 80, 8192, 28672, 64, 8, 128256)


class Linear:
    def __init__(self, outputs, inputs, weights):
        self.matrix = (torch.randn(outputs, inputs, dtype=BF16, device="cuda") * 0.02)
        self.scales = None
        if weights == "fp8":
            self.scales = torch.full((1, outputs), 0.02 / 64, dtype=torch.float32, device="cuda")
            self.matrix = (self.matrix * (64 / 0.02)).clamp(-448, 448).to(FP8)

    def __call__(self, x):
        if self.scales is None:
            return F.linear(x, self.matrix)
        quantised, scales = quantise(x)
        return torch._scaled_mm(quantised, self.matrix.t(), scales, self.scales, out_dtype=BF16, use_fast_accum=True)


class Decoder:
    def __init__(self, shape, weights, cache_bytes):
        self.shape = shape
        d, s = shape.width, shape
        self.embedding = torch.randn(s.vocabulary, s.hidden, dtype=BF16, device="cuda")
        self.head = Linear(s.vocabulary, s.hidden, "bf16")
        self.norm = torch.ones(s.hidden, dtype=torch.float32, device="cuda")
        self.layers = [(Linear((s.heads + 2 * s.kv) * d, s.hidden, weights), Linear(s.hidden, s.heads * d, weights),
                        Linear(2 * s.ffn, s.hidden, weights), Linear(s.hidden, s.ffn, weights))
                       for _ in range(s.layers)]
        each = cache_bytes // (4 * s.layers)
        self.cache = [tuple(torch.empty(each, dtype=BF16, device="cuda").normal_() for _ in range(2))
                      for _ in range(s.layers)]
        self.cosines = torch.randn(2**17, d, dtype=torch.float32, device="cuda").clamp(-1, 1)

    def holds(self, tokens):
        return tokens * self.shape.kv * self.shape.width <= self.cache[0][0].numel()

    def blocks(self, tokens, attention):
        residual = torch.zeros(tokens.shape[0], self.shape.hidden, dtype=BF16, device="cuda")
        x = F.embedding(tokens, self.embedding)
        for (qkv, out, gate_up, down), (k, v) in zip(self.layers, self.cache):
            x = out(attention(qkv(add_norm(x, residual, self.norm)), k, v))
            x = down(silu_mul(gate_up(add_norm(x, residual, self.norm))))
        return add_norm(x, residual, self.norm)

    def store(self, qkv, k, v, at, places, by_row):
        s = self.shape
        q = torch.empty(qkv.shape[0], s.heads, s.width, dtype=BF16, device="cuda")
        rotate_store_kernel[(qkv.shape[0], s.heads + 2 * s.kv)](qkv, q, k, v, at, places, self.cosines,
                                                                HEADS=s.heads, KV=s.kv, WIDTH=s.width, BY_ROW=by_row,
                                                                num_warps=1)
        return q

    def check(self):
        """Numbers that are none draw other watts than numbers."""
        width = self.shape.heads * self.shape.width
        tokens = torch.randint(0, self.shape.vocabulary, (4,), device="cuda")
        if not torch.isfinite(self.blocks(tokens, lambda qkv, k, v: qkv[:, :width].contiguous())).all():
            raise ArithmeticError(f"{self.shape.name}: not finite")

    def decode(self, calls, context):
        """The step, to be captured."""
        tokens = torch.randint(0, self.shape.vocabulary, (calls,), device="cuda")
        cache = [x[:calls * context * self.shape.kv * self.shape.width].view(calls, context, self.shape.kv, -1)
                 for x in self.cache[0]]
        q = torch.randn(calls, self.shape.heads, self.shape.width, device="cuda").to(BF16)
        _, tile = fastest(TILES, lambda tile: cache_attention(q, *cache, context, tile))

        def attention(qkv, k, v):
            q = self.store(qkv, k, v, context - 1, context, by_row=False)
            k, v = (x[:calls * context * self.shape.kv * self.shape.width].view(calls, context, self.shape.kv, -1)
                    for x in (k, v))
            return cache_attention(q, k, v, context, tile)

        return lambda _: torch.argmax(self.head(self.blocks(tokens, attention)), -1)

    def prefill(self, count):
        tokens = torch.randint(0, self.shape.vocabulary, (count,), device="cuda")
        s = self.shape

        def heads_of(q, k, v):
            return (q.transpose(0, 1)[None],
                    *(x[:count * s.kv * s.width].view(count, s.kv, s.width).transpose(0, 1)[None] for x in (k, v)))

        q = torch.randn(count, s.heads, s.width, device="cuda").to(BF16)
        _, backend = fastest(PROMPT_BACKENDS, lambda backend: prompt_attention(*heads_of(q, *self.cache[0]), backend))

        def attention(qkv, k, v):
            q = self.store(qkv, k, v, 0, 0, by_row=True)
            out = prompt_attention(*heads_of(q, k, v), backend)
            return out[0].transpose(0, 1).reshape(count, s.heads * s.width)

        return lambda _: torch.argmax(self.head(self.blocks(tokens, attention)[-1:]), -1)


DECODING = ((1, 1024), (8, 1024), (16, 8192), (32, 1024), (64, 256), (64, 2048), (128, 1024), (256, 256), (256, 1024),
            (1, 16384), (48, 8192))
PREFILL = (128, 256, 512, 1024, 2048, 4096, 8192)
FEWER_DECODING = ((1, 1024), (8, 1024), (32, 1024), (64, 1024), (128, 256), (8, 8192))
FEWER_PREFILL = (256, 1024, 4096)
SECONDS = 1.4  # of a loop


def measure_steps(folder, options):
    meter = options.meter
    rows = table(folder / "steps.csv", ["chip", "model", "weights", "phase", "calls", "context", "tokens", "pause_s",
                                        "step_s", "watts", "megahertz"])

    def idle(phase):
        rows.writerow([options.chip, "", "", phase, 0, 0, 0, 0, "", f"{meter.watts_of(3):.1f}", meter.megahertz()])

    if not torch.cuda.is_initialized():
        idle("idle")
    torch.zeros(1, device="cuda")
    torch.cuda.synchronize()
    time.sleep(1)
    idle("held")
    for shape, weights, decoding, prefill in ((LLAMA_8B, "bf16", DECODING, PREFILL),
                                              (LLAMA_8B, "fp8", DECODING, PREFILL),
                                              (QWEN_32B, "bf16", FEWER_DECODING, FEWER_PREFILL),
                                              (LLAMA_70B, "fp8", FEWER_DECODING, FEWER_PREFILL)):
        free, _ = torch.cuda.mem_get_info()
        cache_bytes = min(60 * 2**30, free - shape.bytes_of_weights(weights) - 6 * 2**30)
        if cache_bytes < 2 * 2**30:
            print(f"{shape.name} {weights}: this card does not hold it")
            continue
        if weights == "fp8" and torch.cuda.get_device_capability() < (8, 9):
            continue
        decoder = Decoder(shape, weights, cache_bytes)
        decoder.check()

        def row(phase, calls, context, tokens, work, pause_s=0.0):
            graph = captured(work)
            step_s, watts, megahertz = looped(graph, meter, SECONDS, pause_s)
            rows.writerow([options.chip, shape.name, weights, phase, calls, context, tokens, pause_s, f"{step_s:.6g}",
                           f"{watts:.1f}", megahertz])

        for calls, context in decoding:
            if decoder.holds(calls * context):
                row("decode", calls, context, 0, decoder.decode(calls, context))
        for tokens in filter(decoder.holds, prefill):
            row("prefill", 0, 0, tokens, decoder.prefill(tokens))
        if shape is LLAMA_8B and weights == "bf16":
            for pause_s in (0.002, 0.01, 0.05) if decoder.holds(32 * 1024) else ():
                row("decode", 32, 1024, 0, decoder.decode(32, 1024), pause_s)
        del decoder
        torch.cuda.empty_cache()
    idle("after work")


# --- Copies between the card and its host ----------------------------------------------------------------------------


def measure_copies(folder, _):
    rows = table(folder / "copies.csv", ["direction", "segment_bytes", "segments", "seconds"])
    most = 2**29
    here, there = ([torch.empty(most, dtype=torch.uint8, **where) for _ in range(2)]
                   for where in ({"device": "cuda"}, {"pin_memory": True}))
    for x in here + there:
        x.fill_(1)

    def copies(way, size, count):
        source, target = (there[way], here[way]) if way else (here[way], there[way])
        for a, b in zip(*(torch.randperm(most // size)[:count].tolist() for _ in range(2))):
            target[b * size:(b + 1) * size].copy_(source[a * size:(a + 1) * size], non_blocking=True)

    for size in (2**i for i in range(14, 30, 2)):
        count = min(256, most // size)
        for direction, ways in (("to host", (0,)), ("to card", (1,)), ("both", (0, 1))):

            def work(_):
                other, here_stream = torch.cuda.Stream(), torch.cuda.current_stream()
                other.wait_stream(here_stream)
                for way in ways:
                    with torch.cuda.stream(other if way else here_stream):
                        copies(way, size, count)
                here_stream.wait_stream(other)

            rows.writerow([direction, size, count, f"{replay_seconds(captured(work), 9):.9f}"])


def check_attention():
    """The Triton kernel against PyTorch in higher precision: a wrong kernel may be a fast one."""
    calls, heads, kv, context = 5, 32, 8, 1000
    q = torch.randn(calls, heads, 128, device="cuda").to(BF16)
    k, v = (torch.randn(calls, context, kv, 128, device="cuda").to(BF16) for _ in range(2))
    exact = F.scaled_dot_product_attention(
        q[:, :, None].double(), *(x.transpose(1, 2).repeat_interleave(heads // kv, 1).double() for x in (k, v)))
    for tile in TILES:
        try:
            out = cache_attention(q, k, v, context, tile).view(calls, heads, 1, 128)
        except triton.runtime.errors.OutOfResources:  # `fastest` passes it over, too
            continue
        error = ((out - exact).norm() / exact.norm()).item()
        if not error < 1e-2:
            sys.exit(f"attention to the cache is wrong by {error:.2g} with the tile {tile}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("kernels", "steps"))
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, metavar="FOLDER")
    parser.add_argument("--chip", default="", help="its name in the catalogue, for steps.csv (default: the card's)")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    options.meter = Meter()
    options.chip = options.chip or options.meter.name
    started = time.perf_counter()
    parts = {"kernels": (measure_copies, measure_gemm, measure_generation_attention, measure_context_attention),
             "steps": (measure_steps,)}[options.what]
    if options.what == "kernels":
        check_attention()
    failed = False
    for part in parts:
        try:
            part(options.output, options)
        except Exception:
            failed = True
            traceback.print_exc()
        torch.cuda.empty_cache()
        print(f"{part.__name__}: {time.perf_counter() - started:.0f} s", flush=True)
    print(f"{options.meter.name}, driver {pynvml.nvmlSystemGetDriverVersion()}, PyTorch {torch.__version__}, "
          f"Triton {triton.__version__}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
