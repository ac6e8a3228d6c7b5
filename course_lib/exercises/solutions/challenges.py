"""Right functions of lesson 02."""

import numpy as np


def wilson(right, n):
    """The 95 % interval (low, high) of the accuracies that fit `right` of `n`."""
    z = 1.96
    share = right / n
    middle = share + z**2 / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def my_answers(data):
    """Class numbers (n,) for data.test_images: a linear classifier on edges, counted in blocks of 4×4 pixels."""
    from sklearn.linear_model import LogisticRegression

    def edges(images):
        gray = images.astype(float).mean(axis=-1)
        across = np.diff(gray, axis=2)[:, :28, :28]
        down = np.diff(gray, axis=1)[:, :28, :28]
        direction = np.clip(np.arctan2(down, across) % np.pi / np.pi * 8, 0, 7).astype(int)
        strength = np.hypot(across, down)
        kinds = [np.where(direction == kind, strength, 0) for kind in range(8)]
        blocks = [each.reshape(-1, 7, 4, 7, 4).sum(axis=(2, 4)) for each in kinds]
        found = np.stack(blocks, axis=-1).reshape(len(images), -1)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    images, labels = data.train
    model = LogisticRegression(C=10, max_iter=300).fit(edges(images), labels)
    return model.predict(edges(data.test_images))


def ladder(accuracies, step):
    """The board's answers to one team's submissions, in their order."""
    answers = []
    best = 0.0
    for accuracy in accuracies:
        if accuracy > best + step:
            best = round(accuracy / step) * step
        answers.append(best)
    return answers


def top_k(scores, labels, k):
    """The share of examples whose label is among the k highest of scores (n, classes)."""
    of_label = scores[np.arange(len(labels)), labels]
    higher = (scores > of_label[:, None]).sum(axis=1)
    return (higher < k).mean()
