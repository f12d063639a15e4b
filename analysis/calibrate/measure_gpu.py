#!/usr/bin/env python3
"""Measures an NVIDIA GPU for Tokenyard, with PyTorch (and its Triton) and nvidia-ml-py: no engine, no model weights.

    python3 measure_gpu.py kernels -o my-gpu                      tables for `tokenyard calibrate` (6 minutes)
    python3 measure_gpu.py steps   -o my-gpu --chip my-gpu        steps of whole decoders, and their watts (6 minutes)

`kernels` writes gemm.csv, moe.csv, generation_attention.csv, context_attention.csv and copies.csv. A row of moe.csv is
a layer of experts without its router: copies of tokens sorted by expert, two grouped products, the sum. A row of
copies.csv is the time of `segments` copies of `segment_bytes` each, one after the other from and to places in random
order, between the card and pinned memory of its host, as an engine moves blocks of its KV cache. In `both`, as many go
each way at once.

`steps` writes steps.csv: decoders with random weights, every step one captured CUDA graph, so without an engine's host
time. A decoding step has `calls` calls whose contexts hold `context` tokens each; a prefill step computes `tokens`
tokens of one prompt, nothing before them. Watts are the mean of the board over a loop of such steps, with `pause_s`
seconds of nothing after each. Rows without a model are a board that does nothing: before any program uses it, with one
that holds it, and straight after work.

Products are cuBLAS's (fp8: a scale for each row, rows quantised by a kernel of their own); attention to the cache and
grouped products are the Triton kernels below (fp8_block: a scale for every 128 x 128 weights and 128 inputs), attention
to the prompt is PyTorch's fastest. Decoders' routers prefer some experts to others as the simulator assumes
(platforms/cost/experts.hpp). The card is measured as it is found: nothing is set.
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


# --- Layers of experts -----------------------------------------------------------------------------------------------


@triton.jit
def route_kernel(logits, preference, experts, shares, EXPERTS: tl.constexpr, CHOSEN: tl.constexpr):
    """The experts of a token, and what each contributes: softmax over the chosen."""
    row, e, i = tl.program_id(0).to(tl.int64), tl.arange(0, EXPERTS), tl.arange(0, CHOSEN)
    x = tl.load(logits + row * EXPERTS + e).to(tl.float32) * 1e-3 + tl.load(preference + row * EXPERTS + e)
    largest = tl.max(x)
    chosen, share = tl.zeros([CHOSEN], tl.int32), tl.zeros([CHOSEN], tl.float32)
    for n in tl.static_range(CHOSEN):
        best = tl.argmax(x, 0)
        share = tl.where(i == n, tl.exp(tl.max(x) - largest), share)
        chosen = tl.where(i == n, best, chosen)
        x = tl.where(e == best, float("-inf"), x)
    tl.store(experts + row * CHOSEN + i, chosen)
    tl.store(shares + row * CHOSEN + i, share / tl.sum(share))


@triton.jit(do_not_specialize=["copies", "tiles"])
def lay_out_kernel(experts, places, owners, copies, tiles, HERE: tl.constexpr, BINS: tl.constexpr,
                   ROWS: tl.constexpr):
    """Where the rows of each expert of this card begin, in whole tiles, and whose each tile is (BINS: nobody's)."""
    e = tl.arange(0, BINS)
    counts = tl.zeros([BINS], tl.int32)
    for start in range(0, copies, 1024):
        i = start + tl.arange(0, 1024)
        chosen = tl.load(experts + i, i < copies, HERE)
        counts += tl.histogram(chosen, BINS, chosen < HERE)
    padded = (counts + ROWS - 1) // ROWS * ROWS
    ends = tl.cumsum(padded)
    tl.store(places + e, ends - padded, e < HERE)
    for start in range(0, tiles, 64):
        tile = start + tl.arange(0, 64)
        owner = tl.sum((ends[None, :] <= tile[:, None] * ROWS).to(tl.int32), 1)
        tl.store(owners + tile, owner, tile < tiles)


@triton.jit(do_not_specialize=["copies"])
def place_kernel(experts, places, rows, copies, HERE: tl.constexpr):
    i = tl.program_id(0) * 256 + tl.arange(0, 256)
    chosen = tl.load(experts + i, i < copies, HERE)
    here = chosen < HERE
    tl.store(rows + tl.atomic_add(places + chosen, 1, here), i, here)


@triton.jit(do_not_specialize=["copies"])
def grouped_kernel(x, weights, out, x_scales, scales, shares, rows, owners, n, k, copies, SHARED: tl.constexpr,
                   HERE: tl.constexpr, SCALES: tl.constexpr, WEIGHED: tl.constexpr, ROWS: tl.constexpr,
                   COLUMNS: tl.constexpr, DEPTH: tl.constexpr, GROUP: tl.constexpr):
    """A tile of rows of one expert times its matrix (columns x depth); SHARED copies have a row of x in common."""
    tile, across = tl.program_id(0), tl.cdiv(n, COLUMNS)
    group = tile // (GROUP * across)
    height = tl.minimum(tl.num_programs(0) // across - group * GROUP, GROUP)
    m, column = group * GROUP + tile % (GROUP * across) % height, tile % (GROUP * across) // height
    expert = tl.load(owners + m)
    if expert >= HERE:
        return
    copy = tl.load(rows + m * ROWS + tl.arange(0, ROWS)).to(tl.int64)
    there, source = copy < copies, copy // SHARED
    c, d = column * COLUMNS + tl.arange(0, COLUMNS), tl.arange(0, DEPTH)
    inside = c < n
    matrix = weights + expert.to(tl.int64) * n * k
    total = tl.zeros([ROWS, COLUMNS], tl.float32)
    for step in range(0, tl.cdiv(k, DEPTH)):
        a = tl.load(x + source[:, None] * k + step * DEPTH + d[None, :], there[:, None], 0.0)
        b = tl.load(matrix + c[None, :] * k + step * DEPTH + d[:, None], inside[None, :], 0.0)
        if SCALES == 128:
            of_a = tl.load(x_scales + source * (k // 128) + step, there, 0.0)
            of_b = tl.load(scales + (expert * tl.cdiv(n, 128) + c // 128) * (k // 128) + step, inside, 0.0)
            total += tl.dot(a, b) * of_a[:, None] * of_b[None, :]
        else:
            total = tl.dot(a, b, total)
    if SCALES == 1:
        total *= tl.load(x_scales + source, there, 0.0)[:, None] * tl.load(scales + expert)
    if WEIGHED:
        total *= tl.load(shares + copy, there, 0.0)[:, None]
    tl.store(out + copy[:, None] * n + c[None, :], total.to(tl.bfloat16), there[:, None] & inside[None, :])


@triton.jit
def quantise_blocks_kernel(x, out, scales, width):
    row = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1) * 8 + tl.arange(0, 8)
    place = block[:, None] * 128 + tl.arange(0, 128)[None, :]
    value = tl.load(x + row * width + place, place < width, 0.0).to(tl.float32)
    scale = tl.maximum(tl.max(tl.abs(value), 1) / 448.0, 1e-12)
    tl.store(scales + row * (width // 128) + block, scale, block * 128 < width)
    tl.store(out + row * width + place, (value / scale[:, None]).to(tl.float8e4nv), place < width)


def quantise_blocks(x):
    out = torch.empty(x.shape, dtype=FP8, device="cuda")
    scales = torch.empty(x.shape[0], x.shape[1] // 128, dtype=torch.float32, device="cuda")
    quantise_blocks_kernel[(x.shape[0], triton.cdiv(x.shape[1], 1024))](x, out, scales, x.shape[1], num_warps=4)
    return out, scales


SCALES = {"bfloat16": 0, "fp8": 1, "fp8_block": 128}  # weights, in each direction, that share a scale; 1: a matrix


def expert_tiles(rows_of_each, dtype):
    """Rows, columns, depth, warps, stages, group: those worth trying for so many rows of each expert."""
    depth = 64 if dtype == "bfloat16" else 128
    if rows_of_each <= 16:
        return (16, 64, 128, 4, 4, 1), (16, 128, 128, 4, 3, 1), (16, 128, depth, 4, 5, 1)
    if rows_of_each <= 64:
        return (16, 128, 128, 4, 4, 1), (64, 64, depth, 4, 4, 4), (64, 128, depth, 4, 4, 4)
    return (64, 128, depth, 4, 4, 8), (128, 128, depth, 8, 3, 8), (128, 256, depth, 8, 3, 8)


class ExpertWeights:
    """Of the `here` first of a layer's experts; `elsewhere`: it has more. Numbers are taken from a pool, if given."""

    def __init__(self, hidden, ffn, here, dtype, elsewhere=False, pool=None):
        self.hidden, self.here, self.dtype, self.elsewhere = hidden, here, dtype, elsewhere
        numbers = here * hidden * ffn
        self.up, self.down = ((self.drawn(2 * numbers), self.drawn(numbers)) if pool is None else
                              (pool[:2 * numbers], pool[2 * numbers:3 * numbers]))
        block = SCALES[dtype]
        if block:
            self.up_scales, self.down_scales = (
                torch.full((here * (1 if block == 1 else triton.cdiv(n, block) * (k // block)),), 0.02 / 64,
                           dtype=torch.float32, device="cuda") for n, k in ((2 * ffn, hidden), (hidden, ffn)))
        else:
            self.up_scales = self.down_scales = self.up  # not read

    def drawn(self, numbers):
        matrices = torch.empty(numbers, dtype=BF16, device="cuda").normal_(std=0.02)
        return matrices if self.dtype == "bfloat16" else (matrices * (64 / 0.02)).clamp(-448, 448).to(FP8)

    def product(self, x, matrices, scales, shares, layout, shared, tile):
        rows, columns, depth, warps, stages, group = tile
        of_copies, owners, copies = layout
        k = x.shape[1]
        n = matrices.numel() // self.here // k
        x_scales = x  # not read
        if self.dtype != "bfloat16":
            x, x_scales = quantise(x) if self.dtype == "fp8" else quantise_blocks(x)
        make = torch.zeros if shares is not None and self.elsewhere else torch.empty
        out = make(copies, n, dtype=BF16, device="cuda")
        grouped_kernel[(owners.numel() * triton.cdiv(n, columns),)](
            x, matrices, out, x_scales, scales, shares if shares is not None else x, of_copies, owners, n, k, copies,
            SHARED=shared, HERE=self.here, SCALES=SCALES[self.dtype], WEIGHED=shares is not None, ROWS=rows,
            COLUMNS=columns, DEPTH=depth, GROUP=group, num_warps=warps, num_stages=stages)
        return out

    def __call__(self, x, experts, shares, tile):
        """experts, shares: tokens, chosen."""
        tokens, chosen = experts.shape
        copies = tokens * chosen
        tiles = triton.cdiv(copies, tile[0]) + min(self.here, copies)
        rows = torch.full((tiles * tile[0],), copies, dtype=torch.int32, device="cuda")
        places = torch.empty(self.here, dtype=torch.int32, device="cuda")
        owners = torch.empty(tiles, dtype=torch.int32, device="cuda")
        lay_out_kernel[(1,)](experts, places, owners, copies, tiles, HERE=self.here, BINS=max(64, self.here),
                             ROWS=tile[0], num_warps=8)
        place_kernel[(triton.cdiv(copies, 256),)](experts, places, rows, copies, HERE=self.here)
        layout = rows, owners, copies
        up = self.product(x, self.up, self.up_scales, None, layout, chosen, tile)
        down = self.product(silu_mul(up), self.down, self.down_scales, shares, layout, 1, tile)
        return down.view(tokens, chosen, self.hidden).sum(1)


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


EXPERT_SHAPES = (  # hidden, ffn of an expert on this card, chosen, experts, and of these on this card
    (2048, 768, 8, 128, 128), (2048, 384, 8, 128, 128), (2048, 768, 8, 128, 16), (4096, 14336, 2, 8, 8),
    (4096, 7168, 2, 8, 8), (4096, 1792, 2, 8, 8), (4096, 14336, 2, 8, 2), (4096, 1536, 8, 128, 32),
    (4096, 384, 8, 128, 128), (4096, 1536, 8, 128, 16), (7168, 2048, 8, 256, 32), (7168, 256, 8, 256, 256))


def measure_experts(folder, _):
    """Those of Qwen3-30B-A3B and 235B-A22B, Mixtral 8x7B and DeepSeek-V3, whole and divided; all chosen alike."""
    rows = table(folder / "moe.csv", ["moe_dtype", "num_tokens", "hidden_size", "inter_size", "topk", "num_experts",
                                      "moe_tp_size", "moe_ep_size", "distribution", "latency"])
    most = max(3 * hidden * ffn * here for hidden, ffn, _, _, here in EXPERT_SHAPES)
    for dtype in ("bfloat16", "fp8_block", "fp8") if torch.cuda.get_device_capability() >= (8, 9) else ("bfloat16",):
        drawn = torch.empty(2**28, dtype=BF16, device="cuda").normal_(std=0.02 if dtype == "bfloat16" else 64)
        drawn = drawn.clamp(-448, 448).to(BF16 if dtype == "bfloat16" else FP8)
        pool = torch.empty(most, dtype=drawn.dtype, device="cuda")
        for part in pool.split(drawn.numel()):
            part.copy_(drawn[:part.numel()])
        for hidden, ffn, chosen, experts, here in EXPERT_SHAPES:
            layer = ExpertWeights(hidden, ffn, here, dtype, here < experts, pool)
            for tokens in (1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192):
                x = torch.randn(tokens, hidden, device="cuda").to(BF16)
                shares = torch.full((tokens, chosen), 1 / chosen, device="cuda")
                order = torch.arange(tokens * chosen, device="cuda", dtype=torch.int32)
                # Others in turn: few tokens' experts would stay in the cache.
                turns = [((order + i * tokens * chosen) % experts).view(tokens, chosen) for i in range(16)]

                def run(tile, i=0):
                    return layer(x, turns[i % 16], shares, tile)

                seconds, tile = fastest(expert_tiles(tokens * chosen / experts, dtype), run)
                launches = 16 if seconds < 1e-3 else 2
                seconds = replay_seconds(captured(lambda i: run(tile, i), launches)) / launches
                rows.writerow([dtype, tokens, hidden, ffn, chosen, experts, 1, experts // here, "balanced",
                               f"{seconds * 1e3:.6f}"])
        del drawn, pool, layer
        torch.cuda.empty_cache()


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
    """Of a decoder as Llama's, or Mixtral's."""
    name: str
    layers: int
    hidden: int
    ffn: int
    heads: int
    kv: int
    vocabulary: int
    width: int = 128
    experts: int = 1
    chosen: int = 1
    eight_bits: str = "fp8"  # how its experts have them

    def bytes_of_weights(self, weights):
        layer = self.hidden * (2 * (self.heads + self.kv) * self.width + 3 * self.ffn * self.experts)
        return layer * self.layers * (1 if weights == "fp8" else 2) + 4 * self.vocabulary * self.hidden


LLAMA_8B = Shape("llama-3.1-8b", 32, 4096, 14336, 32, 8, 128256)
QWEN_32B = Shape("qwen3-32b", 64, 5120, 25600, 64, 8, 151936)
LLAMA_70B = Shape("llama-3.1-70b", 80, 8192, 28672, 64, 8, 128256)
QWEN_30B = Shape("qwen3-30b-a3b", 48, 2048, 768, 32, 4, 151936, experts=128, chosen=8, eight_bits="fp8_block")
MIXTRAL = Shape("mixtral-8x7b", 32, 4096, 14336, 32, 8, 32000, experts=8, chosen=2)
MOST_TOKENS = 8192  # of a step


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


class Dense:
    def __init__(self, shape, weights):
        self.gate_up = Linear(2 * shape.ffn, shape.hidden, weights)
        self.down = Linear(shape.hidden, shape.ffn, weights)

    def __call__(self, x):
        return self.down(silu_mul(self.gate_up(x)))

    def prepare(self, x):
        pass


class Experts:
    tile = None

    def __init__(self, shape, weights):
        self.shape = shape
        self.router = Linear(shape.experts, shape.hidden, "bf16")
        self.weights = ExpertWeights(shape.hidden, shape.ffn, shape.experts,
                                     shape.eight_bits if weights == "fp8" else "bfloat16")
        # An expert is chosen by a share of the tokens distributed as Beta(1, experts / chosen - 1).
        popular = torch.distributions.Beta(1.0, shape.experts / shape.chosen - 1).sample((shape.experts,)).cuda()
        noise = torch.rand(MOST_TOKENS, shape.experts, device="cuda").clamp(1e-6, 1 - 1e-6)
        self.preference = popular.clamp(1e-6, 1 - 1e-6).logit() + noise.logit()

    def route(self, x):
        chosen = torch.empty(x.shape[0], self.shape.chosen, dtype=torch.int32, device="cuda")
        shares = torch.empty(x.shape[0], self.shape.chosen, dtype=torch.float32, device="cuda")
        route_kernel[(x.shape[0],)](self.router(x), self.preference, chosen, shares, EXPERTS=self.shape.experts,
                                    CHOSEN=self.shape.chosen, num_warps=1)
        return chosen, shares

    def __call__(self, x):
        return self.weights(x, *self.route(x), Experts.tile)

    def prepare(self, x):
        """For steps of so many tokens."""
        routed = self.route(x)
        tiles = expert_tiles(x.shape[0] * self.shape.chosen / self.shape.experts, self.weights.dtype)
        _, Experts.tile = fastest(tiles, lambda tile: self.weights(x, *routed, tile))


class Decoder:
    def __init__(self, shape, weights, cache_bytes):
        self.shape = shape
        d, s = shape.width, shape
        self.embedding = torch.randn(s.vocabulary, s.hidden, dtype=BF16, device="cuda")
        self.head = Linear(s.vocabulary, s.hidden, "bf16")
        self.norm = torch.ones(s.hidden, dtype=torch.float32, device="cuda")
        self.layers = [(Linear((s.heads + 2 * s.kv) * d, s.hidden, weights), Linear(s.hidden, s.heads * d, weights),
                        (Experts if s.experts > 1 else Dense)(s, weights)) for _ in range(s.layers)]
        each = cache_bytes // (4 * s.layers)
        self.cache = [tuple(torch.empty(each, dtype=BF16, device="cuda").normal_() for _ in range(2))
                      for _ in range(s.layers)]
        self.cosines = torch.randn(2**17, d, dtype=torch.float32, device="cuda").clamp(-1, 1)

    def holds(self, tokens):
        return tokens * self.shape.kv * self.shape.width <= self.cache[0][0].numel()

    def blocks(self, tokens, attention):
        residual = torch.zeros(tokens.shape[0], self.shape.hidden, dtype=BF16, device="cuda")
        x = F.embedding(tokens, self.embedding)
        for (qkv, out, mlp), (k, v) in zip(self.layers, self.cache):
            x = out(attention(qkv(add_norm(x, residual, self.norm)), k, v))
            x = mlp(add_norm(x, residual, self.norm))
        return add_norm(x, residual, self.norm)

    def prepare(self, tokens):
        self.layers[0][2].prepare(torch.randn(tokens, self.shape.hidden, device="cuda").to(BF16))

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
        self.prepare(4)
        if not torch.isfinite(self.blocks(tokens, lambda qkv, k, v: qkv[:, :width].contiguous())).all():
            raise ArithmeticError(f"{self.shape.name}: not finite")

    def decode(self, calls, context):
        """The step, to be captured."""
        self.prepare(calls)
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
        self.prepare(count)
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
DECODERS = ((LLAMA_8B, "bf16", DECODING, PREFILL), (LLAMA_8B, "fp8", DECODING, PREFILL),
            (QWEN_32B, "bf16", FEWER_DECODING, FEWER_PREFILL), (LLAMA_70B, "fp8", FEWER_DECODING, FEWER_PREFILL),
            (QWEN_30B, "fp8", FEWER_DECODING, FEWER_PREFILL), (QWEN_30B, "bf16", FEWER_DECODING, FEWER_PREFILL),
            (MIXTRAL, "fp8", FEWER_DECODING, FEWER_PREFILL))
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
    for shape, weights, decoding, prefill in DECODERS:
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


def check_experts():
    tokens, hidden, ffn, experts, chosen = 70, 512, 256, 8, 2
    x = torch.randn(tokens, hidden, device="cuda").to(BF16)
    choice = torch.stack([torch.randperm(experts, device="cuda")[:chosen] for _ in range(tokens)]).to(torch.int32)
    shares = torch.rand(tokens, chosen, device="cuda")
    for dtype, here in (("bfloat16", 8), ("bfloat16", 4), ("fp8", 8), ("fp8_block", 8)):
        if dtype != "bfloat16" and torch.cuda.get_device_capability() < (8, 9):
            continue
        layer = ExpertWeights(hidden, ffn, here, dtype, here < experts)
        scale = 1 if dtype == "bfloat16" else 0.02 / 64
        up, down = (m.view(here, n, k).double() * scale
                    for m, n, k in ((layer.up, 2 * ffn, hidden), (layer.down, hidden, ffn)))
        exact = torch.zeros(tokens, hidden, dtype=torch.float64, device="cuda")
        for i in range(chosen):
            held = choice[:, i] < here
            e = choice[held, i].long()
            gate, value = torch.einsum("tk,tnk->tn", x[held].double(), up[e]).chunk(2, 1)
            exact[held] += shares[held, i, None] * torch.einsum("tk,tnk->tn", F.silu(gate) * value, down[e])
        for tile in expert_tiles(1, dtype) + expert_tiles(100, dtype):
            try:
                out = layer(x, choice, shares, tile)
            except triton.runtime.errors.OutOfResources:
                continue
            error = ((out - exact).norm() / exact.norm()).item()
            if not error < (1e-2 if dtype == "bfloat16" else 6e-2):
                sys.exit(f"experts in {dtype} are wrong by {error:.2g} with the tile {tile}")


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
    parts = {"kernels": (measure_copies, measure_gemm, measure_experts, measure_generation_attention,
                         measure_context_attention),
             "steps": (measure_steps,)}[options.what]
    if options.what == "kernels":
        check_attention()
        check_experts()
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
