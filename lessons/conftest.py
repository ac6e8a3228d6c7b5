"""Under pytest every lesson runs its quick profile, also when one lesson alone is named."""

import os

os.environ["COURSE_PROFILE"] = "quick"  # nbval's kernels inherit it
