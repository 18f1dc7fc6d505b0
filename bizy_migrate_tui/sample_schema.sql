-- The tables as bizy 1.1.1 makes them.
CREATE TABLE tasks (
    id INTEGER NOT NULL,
    title VARCHAR(500) NOT NULL,
    description TEXT,
    priority INTEGER,
    status VARCHAR(50),
    category VARCHAR(100),
    estimated_hours FLOAT,
    actual_hours FLOAT,
    due_date DATETIME,
    created_at DATETIME,
    completed_at DATETIME,
    parent_goal_id INTEGER,
    dependencies JSON,
    notes TEXT,
    tags JSON,
    PRIMARY KEY (id)
);
CREATE TABLE goals (
    id INTEGER NOT NULL,
    title VARCHAR(500) NOT NULL,
    description TEXT,
    horizon VARCHAR(50),
    target_date DATETIME,
    status VARCHAR(50),
    progress_percentage FLOAT,
    success_criteria TEXT,
    parent_goal_id INTEGER,
    created_at DATETIME,
    updated_at DATETIME,
    metrics JSON,
    PRIMARY KEY (id)
);
CREATE TABLE daily_logs (
    id INTEGER NOT NULL,
    date DATETIME NOT NULL,
    tasks_completed INTEGER,
    tasks_planned INTEGER,
    completion_rate FLOAT,
    energy_level VARCHAR(20),
    blockers TEXT,
    wins TEXT,
    learnings TEXT,
    tomorrow_focus TEXT,
    mood VARCHAR(50),
    notes TEXT,
    PRIMARY KEY (id),
    UNIQUE (date)
);
CREATE TABLE research (
    id INTEGER NOT NULL,
    title VARCHAR(500),
    summary TEXT,
    source_url VARCHAR(1000),
    category VARCHAR(100),
    relevance_score FLOAT,
    date_found DATETIME,
    action_items TEXT,
    tags JSON,
    raw_data JSON,
    PRIMARY KEY (id)
);
CREATE TABLE metrics (
    id INTEGER NOT NULL,
    metric_name VARCHAR(200),
    value FLOAT,
    date DATETIME,
    notes TEXT,
    target_value FLOAT,
    category VARCHAR(100),
    PRIMARY KEY (id)
);
CREATE TABLE business_plans (
    id INTEGER NOT NULL,
    name VARCHAR(255),
    version VARCHAR(50),
    vision TEXT,
    mission TEXT,
    value_proposition TEXT,
    target_market TEXT,
    revenue_model TEXT,
    key_resources JSON,
    key_activities JSON,
    key_partnerships JSON,
    cost_structure JSON,
    created_at DATETIME,
    updated_at DATETIME,
    is_active BOOLEAN,
    PRIMARY KEY (id)
);
