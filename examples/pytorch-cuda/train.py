"""Train a small convolutional network on the 1,797 handwritten digits that come with scikit-learn.

A whole training on real data that downloads nothing: some ten seconds on one CPU core, less on
a GPU. It writes `model.pt` and `loss.png` to the output folder and ends with what it ran on.

    python train.py                     # gradients clipped by norm, GELU
    python train.py --no-clip           # the same without clipping: watch the gradient norm
    python train.py --activation silu
"""

import argparse
import math
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen in a container

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "elu": nn.ELU, "tanh": nn.Tanh}
GOAL = 0.97


class ChannelGate(nn.Module):
    """A layer of our own: each channel is turned up or down by what the whole picture shows.

    The mean of every channel goes through one linear map and a sigmoid; the result, between 0 and 2,
    scales the channel. It starts as "leave all as it is".
    """

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        means = pictures.mean(dim=(2, 3))
        gates = 2.0 * torch.sigmoid(means @ self.weight.T + self.bias)
        return pictures * gates[:, :, None, None]


def make_model(activation: str, width: int = 32) -> nn.Module:
    act = ACTIVATIONS[activation]
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        act(),
        nn.Conv2d(width, width, 3, padding=1),
        act(),
        ChannelGate(width),
        nn.MaxPool2d(2),
        nn.Conv2d(width, 2 * width, 3, padding=1),
        act(),
        ChannelGate(2 * width),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(2 * width * 2 * 2, 10),
    )


def load_data(seed: int, device: torch.device):
    digits = load_digits()
    pictures = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16.0
    labels = torch.tensor(digits.target)
    train, test = train_test_split(
        torch.arange(len(labels)), test_size=0.25, stratify=digits.target, random_state=seed
    )
    return [part.to(device) for part in (pictures[train], labels[train], pictures[test], labels[test])]


def train_one_epoch(model, optimizer, pictures, labels, options):
    """Returns the losses and the gradient norms, one for each step, as they were before clipping."""
    model.train()
    losses, norms = [], []
    # With --no-clip the norm is measured in the same way and nothing is changed.
    limit = options.clip if options.use_clip else math.inf
    order = torch.randperm(len(labels)).to(labels.device)
    for batch in order.split(options.batch):
        loss = nn.functional.cross_entropy(model(pictures[batch]), labels[batch])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=limit)
        optimizer.step()
        losses.append(loss.item())
        norms.append(norm.item())
        if not math.isfinite(losses[-1]):
            break
    return losses, norms


@torch.no_grad()
def measure_accuracy(model, pictures, labels) -> float:
    model.eval()
    return (model(pictures).argmax(dim=1) == labels).float().mean().item()


def draw(losses, norms, clip, path: Path):
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 6), sharex=True)
    above.plot(losses, linewidth=0.8)
    above.set_ylabel("training loss")
    above.set_yscale("log")
    below.plot(norms, linewidth=0.8, color="tab:orange")
    below.set_ylabel("gradient norm")
    below.set_yscale("log")
    below.set_xlabel("step")
    if clip is not None:
        below.axhline(clip, linestyle="--", color="grey", label=f"clipped at {clip:g}")
        below.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def cudnn_version() -> str:
    """`9.1.0` of 90100, `8.9.2` of 8902; the driver is not needed for it."""
    number = torch.backends.cudnn.version()
    if number is None:
        return "none"
    major = number // 10000 if number >= 90000 else number // 1000
    return f"{major}.{number % (10000 if major >= 9 else 1000) // 100}.{number % 100}"


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=Path("/workspace/out"), help="output folder")
    parser.add_argument("--activation", choices=sorted(ACTIVATIONS), default="gelu")
    parser.add_argument("--clip", type=float, default=1.0, help="largest norm of the gradients")
    parser.add_argument("--no-clip", dest="use_clip", action="store_false", help="do not clip")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.2, help="learning rate")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def train(options, device):
    pictures, labels, test_pictures, test_labels = load_data(options.seed, device)
    model = make_model(options.activation).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=options.rate, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
    all_losses, all_norms = [], []
    for epoch in range(1, options.epochs + 1):
        losses, norms = train_one_epoch(model, optimizer, pictures, labels, options)
        all_losses += losses
        all_norms += norms
        schedule.step()
        accuracy = measure_accuracy(model, test_pictures, test_labels)
        print(
            f"epoch {epoch:3}  loss {sum(losses) / len(losses):8.4f}  "
            f"gradient norm up to {max(norms):8.2f}  held-out {accuracy:.1%}",
            flush=True,
        )
        if not math.isfinite(losses[-1]):
            print("the loss is no number any more: the training has blown up")
            break
    return model, accuracy, all_losses, all_norms


def main() -> int:
    options = parse_options()
    started = time.monotonic()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)  # pictures of 8x8 are too small to share among cores
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    options.out.mkdir(parents=True, exist_ok=True)

    model, accuracy, losses, norms = train(options, device)

    torch.save({"model": model.state_dict(), "activation": options.activation}, options.out / "model.pt")
    draw(losses, norms, options.clip if options.use_clip else None, options.out / "loss.png")

    cudnn = cudnn_version()
    name = f" ({torch.cuda.get_device_name()})" if device.type == "cuda" else ""
    clipped = f"clipped at {options.clip:g}" if options.use_clip else "not clipped"
    print(f"checkpoint {options.out / 'model.pt'}, loss curve {options.out / 'loss.png'}")
    print(f"largest gradient norm {max(norms):.2f}, {clipped}")
    print(f"torch {torch.__version__}, built with CUDA {torch.version.cuda}, cuDNN {cudnn}")
    print(f"device {device.type}{name}")
    print(f"held-out accuracy {accuracy:.2%}" + ("" if accuracy >= GOAL else f", below {GOAL:.0%}"))
    print(f"seconds {time.monotonic() - started:.1f}")
    return 0 if accuracy >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
