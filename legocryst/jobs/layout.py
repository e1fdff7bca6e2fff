"""Stages of a job by name, and the files that each leaves in the job's folder."""

STAGES = ("curate", "augment", "featurize", "train", "sample", "relax", "rank", "bands")
"""Stages of a run, in order. A job's command is "run", or the stage after which it ends."""
DFT = "dft"
"""Command and only stage of a job that computes one crystal with density functional theory."""
BASELINE = "baseline"
"""What a run does beside its stages: random crystals, relaxed in the same way."""
FILES = {
    "curate": ("shards/seeds.parquet", "curation.parquet"),
    "augment": ("shards/augmented.parquet",),
    "featurize": ("shards/features.parquet",),
    "train": ("shards/training.parquet", "model/model.pt"),
    "sample": ("samples.parquet",),
    "rank": ("shards/ranked.parquet",),
    "bands": ("shards/bands.parquet",),
    DFT: ("shards/dft.parquet",),
    BASELINE: ("baseline.json",),
}
"""What a finished stage leaves in the folder; the relaxation leaves shards/crystals-00000.parquet and so on."""
EXAMINED = {"seeds": "examined/seeds.parquet", "reference": "examined/reference.parquet"}
"""Training and reference set as they were read and judged, once, before a filter."""
REFERENCE = "shards/reference.parquet"
"""What curating leaves besides, where a reference set was given."""
QUALITY = "model/quality.json"
"""Where a training leaves sdv's quality report of its samples."""
