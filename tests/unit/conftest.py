"""How hypothesis runs here: without deadlines, which a busy machine would miss."""

import hypothesis

hypothesis.settings.register_profile("edge", deadline=None, max_examples=200)
hypothesis.settings.load_profile("edge")
