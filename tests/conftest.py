"""What all tests share."""

import os

from hypothesis import settings

# The same examples each time, so that a failure belongs to the change that brought it;
# NODEFLOW_FUZZ=1 draws others in every run.
settings.register_profile("steady", derandomize=True)
settings.register_profile("searching", derandomize=False)
settings.load_profile("searching" if os.environ.get("NODEFLOW_FUZZ") else "steady")
